/** The other thread of the arena's tests and of its bench: does what `workerData` says, and reports. */
import { parentPort, workerData } from 'node:worker_threads'
import { seededRandom } from '../core/random.ts'
import type { ArenaHandle } from './arena-options.ts'
import { ArenaTable } from './arena-table.ts'
import { type TrapPoint, trap } from './arena-trap.ts'
import { tinyLfu } from './policies/tiny-lfu.ts'
import type { PolicyFactory } from './policy.ts'

/** What a worker is told to do. */
export type ArenaTask =
  /** Random operations on keys that all threads share, from when `gate[0]` is 1; values prove themselves. Says `ready`, then an `ArenaTortureReport`. */
  | {
      readonly kind: 'torture'
      readonly handle: ArenaHandle
      readonly torture: ArenaTorture
      readonly gate: Int32Array
    }
  /** Makes mischief once and stops for ever at a point of it. Says `stopped` there, or `passed` if it never came there. */
  | { readonly kind: 'stop'; readonly handle: ArenaHandle; readonly stop: ArenaStop }

  /** Adds one to each of some counters so many times, holding the counter's part. Says `ready`, then `done`. */
  | { readonly kind: 'count'; readonly handle: ArenaHandle; readonly count: ArenaCount; readonly gate: Int32Array }

  /** Gets, and some sets, of values of 100 bytes, from when `gate[0]` is 1. Says `ready`, then `done`. */
  | { readonly kind: 'load'; readonly handle: ArenaHandle; readonly load: ArenaLoad; readonly gate: Int32Array }

export interface ArenaCount {
  readonly rounds: number
  readonly counters: number
}

export interface ArenaLoad {
  readonly seed: number
  readonly operations: number
  readonly keys: number
  /** Share of sets. */
  readonly sets: number
}

export interface ArenaTorture {
  readonly seed: number
  readonly operations: number
  readonly keys: number
  /** Longest value. */
  readonly bytesMax: number
  /** Share of sets. */
  readonly sets: number
}

export interface ArenaTortureReport {
  readonly hits: number
  readonly wrong: number
  readonly refused: number
}

export interface ArenaStop {
  readonly point: StopPoint
  /** Which time that the point is reached. */
  readonly nth: number
  readonly mischief: ArenaMischief
}

/** Gets and sets of keys in bytes, as a server has them: what it costs is the table's. */
export function load(table: ArenaTable, { seed, operations, keys, sets }: ArenaLoad): number {
  const random = seededRandom(seed)
  const key = Buffer.alloc(20, 'key:')
  const value = Buffer.alloc(100, 1)
  const target = Buffer.alloc(100)
  let hits = 0
  for (let done = 0; done < operations; done++) {
    key.writeUInt32LE(random() * keys, 4)
    if (random() < sets) table.setBytes(key, 0, 20, value, 0, 100)
    else if (table.copyTo(target, 0, key, 0, 20) === 100) hits++
  }
  return hits
}

/** Reads and writes as one: others that do the same are kept out. Each round moves a part of one counter to the next. */
export function count(table: ArenaTable, { rounds, counters }: ArenaCount): void {
  const bytes = new Uint8Array(4)
  const view = new DataView(bytes.buffer)
  const add = (key: string, amount: number): void => {
    const present = table.copyTo(bytes, 0, key) === -1 ? 0 : view.getInt32(0)
    view.setInt32(0, present + amount)
    table.set(key, bytes)
  }
  for (let round = 0; round < rounds; round++) {
    const keys = [`count:${round % counters}`, `count:${(round * 7 + 1) % counters}`]
    const stripes = keys.map((key) => table.stripeOf(key)).sort((one, other) => one - other)
    for (const stripe of stripes) table.hold(stripe)
    add(keys[0]!, 3)
    add(keys[1]!, -2)
    table.release()
  }
}

/** Points of a write, and one that lies in the policy. */
export type StopPoint = TrapPoint | 'hit'

/** What a worker does on its way to a point where it stops. */
export type ArenaMischief = 'insert' | 'overwrite' | 'replace' | 'delete' | 'get' | 'long' | 'churn' | 'grow' | 'shrink'

/** A value that proves itself: which key it is of, its length, and bytes that follow from both. */
export function provableValue(target: Uint8Array, key: number, stamp: number, length: number): void {
  const view = new DataView(target.buffer, target.byteOffset)
  view.setUint32(0, key)
  view.setUint32(4, stamp)
  view.setUint32(8, length)
  let mixed = Math.imul(key ^ stamp, 0x9e3779b1) ^ length
  for (let at = 12; at < length; at++) {
    mixed = (Math.imul(mixed, 1664525) + 1013904223) | 0
    target[at] = mixed >>> 24
  }
}

/** Whether a value is what some thread once set under this key, whole. */
export function isProvable(value: Uint8Array, start: number, end: number, key: number): boolean {
  if (end - start < 12) return false
  const view = new DataView(value.buffer, value.byteOffset + start)
  const stamp = view.getUint32(4)
  const length = view.getUint32(8)
  if (view.getUint32(0) !== key || length !== end - start) return false
  let mixed = Math.imul(key ^ stamp, 0x9e3779b1) ^ length
  for (let at = start + 12; at < end; at++) {
    mixed = (Math.imul(mixed, 1664525) + 1013904223) | 0
    if (value[at] !== mixed >>> 24) return false
  }
  return true
}

/** Random sets, gets, deletes and expiries; counts values that are not what was set under their key. */
export function torture(table: ArenaTable, options: ArenaTorture): ArenaTortureReport {
  const random = seededRandom(options.seed)
  const value = new Uint8Array(options.bytesMax)
  const report = { hits: 0, wrong: 0, refused: 0 }
  for (let done = 0; done < options.operations; done++) {
    const number = Math.floor(random() ** 2 * options.keys)
    const key = `torture:${number}`
    const action = random()
    if (action < options.sets) {
      const length = 12 + Math.floor(random() ** 4 * (options.bytesMax - 12))
      provableValue(value, number, done, length)
      const ttlMs = random() < 0.2 ? 1 + random() * 50 : Number.POSITIVE_INFINITY
      if (!table.setBytes(key, undefined, undefined, value, 0, length, number, ttlMs)) report.refused++
    } else if (action < options.sets + 0.05) {
      table.delete(key)
    } else {
      const view = table.get(key)
      if (view === undefined) continue
      report.hits++
      if (view.flags !== number || !isProvable(view.bytes, view.start, view.end, number)) report.wrong++
    }
  }
  return report
}

/** The default policy, but a hit can be stopped half-way. */
const stoppable: PolicyFactory = {
  ...tinyLfu,
  create(shape, memory, byteOffset) {
    const policy = tinyLfu.create(shape, memory, byteOffset)
    const hit = policy.hit.bind(policy)
    policy.hit = (slot) => {
      hit(slot)
      ;(trap.at as ((point: StopPoint) => void) | undefined)?.('hit')
    }
    return policy
  },
}

/** Brings the table to do what passes the point in question. */
function makeMischief(table: ArenaTable, mischief: ArenaMischief): void {
  const value = new Uint8Array(200_000)
  const set = (number: number, stamp: number, length: number) => {
    provableValue(value, number, stamp, length)
    table.setBytes(`key:${number}`, undefined, undefined, value, 0, length)
  }
  if (mischief === 'insert') set(1_000_001, 1, 100)
  if (mischief === 'overwrite') set(1, 2, 104)
  if (mischief === 'replace') set(1, 2, 700)
  if (mischief === 'long') set(1, 2, 60_000)
  if (mischief === 'delete') table.delete('key:1')
  if (mischief === 'get') table.get('key:1')
  if (mischief === 'grow' || mischief === 'shrink')
    for (let number = 2_000_000; number < 2_020_000; number++) set(number, 3, 20)
  if (mischief === 'shrink')
    for (let number = 4_000_000; number < 4_003_000; number++) {
      set(number, 3, 4000)
      for (let use = 0; use < 3; use++) table.get(`key:${number}`)
    }
  if (mischief === 'churn') {
    for (let number = 3_000_000; number < 3_020_000; number++) set(number, 3, 12 + (number % 61) * 40)
  }
}

function stopAt(table: ArenaTable, { point, nth, mischief }: ArenaStop, say: (what: string) => void): void {
  let left = nth
  trap.at = (reached: StopPoint) => {
    if (reached !== point || --left > 0) return
    say('stopped')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  makeMischief(table, mischief)
  say('passed')
}

if (parentPort && (workerData as ArenaTask | null)?.handle?.buffer instanceof SharedArrayBuffer) {
  const port = parentPort
  const task = workerData as ArenaTask
  const table = ArenaTable.open(task.handle, task.kind === 'stop' ? { policy: stoppable } : {})
  if (task.kind === 'torture') {
    port.postMessage('ready')
    Atomics.wait(task.gate, 0, 0)
    port.postMessage(torture(table, task.torture))
  } else if (task.kind === 'count') {
    port.postMessage('ready')
    Atomics.wait(task.gate, 0, 0)
    count(table, task.count)
    port.postMessage('done')
  } else if (task.kind === 'load') {
    // Once for the compiler, then in earnest.
    load(table, { ...task.load, operations: 100_000 })
    port.postMessage('ready')
    Atomics.wait(task.gate, 0, 0)
    load(table, task.load)
    port.postMessage('done')
  } else {
    stopAt(table, task.stop, (what) => port.postMessage(what))
  }
  table.close()
}
