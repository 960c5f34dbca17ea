/** What a process of the suite `arena` does: one table, filled and timed. */

import { ArenaTable } from 'millpond/memory'
import type { Contender, Measured } from '../../alternate.ts'

export type Job =
  | { readonly kind: 'speed'; readonly table: 'map' | 'arena'; readonly entries: number }
  | { readonly kind: 'pauses'; readonly entries: number }

const VALUE_BYTES = 100
const KEY_BYTES = 20
const TURN_OPERATIONS = 200_000

export function prepare(job: Job): Contender {
  if (job.kind === 'pauses') return { name: 'pauses', turn: () => measurePauses(job.entries) }
  return job.table === 'map' ? mapContender(job.entries) : arenaContender(job.entries)
}

/** A text key of 20 characters, made anew. */
function textKey(number: number): string {
  return `user:profile:${1_000_000 + number}`
}

/** Numbers in random order, the same for everybody. */
function makeOrder(entries: number): Uint32Array {
  const order = new Uint32Array(TURN_OPERATIONS)
  let state = 7
  for (let at = 0; at < order.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    order[at] = ((state >>> 0) * entries) / 2 ** 32
  }
  return order
}

/** CPU nanoseconds of each operation of a loop over the order. */
function time(order: Uint32Array, operation: (number: number) => void): number {
  const before = process.cpuUsage()
  for (const number of order) operation(number)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / order.length
}

function heapBytes(): number {
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function mapContender(entries: number): Contender {
  const order = makeOrder(entries)
  const value = Buffer.alloc(VALUE_BYTES, 7)
  const before = heapBytes()
  const map = new Map<string, Buffer>()
  for (let number = 0; number < entries; number++) map.set(textKey(number), Buffer.from(value))
  const bytes = (heapBytes() - before) / entries - KEY_BYTES - VALUE_BYTES
  const key = Buffer.alloc(KEY_BYTES)
  const target = Buffer.alloc(VALUE_BYTES)
  let seen = 0
  return {
    name: 'map',
    turn: (): Measured => ({
      get: time(order, (number) => {
        seen += map.get(textKey(number))![5]!
      }),
      set: time(order, (number) => map.set(textKey(number), Buffer.from(value))),
      copy: time(order, (number) => {
        key.write(textKey(number), 0, 'latin1')
        map.get(key.toString('latin1'))!.copy(target, 0)
        seen += target[5]!
      }),
      bytes: seen < 0 ? 0 : bytes,
    }),
  }
}

function arenaContender(entries: number): Contender {
  const order = makeOrder(entries)
  const value = Buffer.alloc(VALUE_BYTES, 7)
  const table = new ArenaTable({ maxWeight: 2 ** 21 + entries * 400 })
  for (let number = 0; number < entries; number++) table.set(textKey(number), value)
  if (table.size !== entries)
    throw new Error(`${entries - table.size} entries were evicted: this is no fair comparison`)
  const bytes = table.weight / entries - KEY_BYTES - VALUE_BYTES
  const key = Buffer.alloc(KEY_BYTES)
  const target = Buffer.alloc(VALUE_BYTES)
  let seen = 0
  return {
    name: 'arena',
    turn: (): Measured => ({
      get: time(order, (number) => {
        const view = table.get(textKey(number))!
        seen += view.bytes[view.start + 5]!
      }),
      set: time(order, (number) => table.set(textKey(number), value)),
      copy: time(order, (number) => {
        key.write(textKey(number), 0, 'latin1')
        table.copyTo(target, 0, key, 0, KEY_BYTES)
        seen += target[5]!
      }),
      bytes: seen < 0 ? 0 : bytes,
    }),
  }
}

/** The longest set of three phases: growth to the bound, new keys of one size, new keys of four sizes. */
function measurePauses(entries: number): Measured {
  const table = new ArenaTable({ maxWeight: 2 ** 20 + entries * 240, seed: [1, 2] })
  const key = Buffer.alloc(KEY_BYTES, 'user:')
  const value = Buffer.alloc(4000, 7)
  let number = 0
  const phase = (sets: number, sizes: readonly number[]): number => {
    let longestMs = 0
    for (let left = sets; left > 0; left--) {
      key.writeUInt32LE(number++, 8)
      const bytes = sizes[number % sizes.length]!
      const startMs = performance.now()
      const cpu = process.cpuUsage()
      table.setBytes(key, 0, KEY_BYTES, value, 0, bytes)
      const { user, system } = process.cpuUsage(cpu)
      longestMs = Math.max(longestMs, Math.min(performance.now() - startMs, (user + system) / 1000))
    }
    return longestMs
  }
  globalThis.gc!()
  return {
    grow: phase(entries, [VALUE_BYTES]),
    churn: phase(entries, [VALUE_BYTES]),
    sizes: phase(Math.ceil(entries / 4), [60, 900, 300, 4000]),
  }
}
