/** What a table is asked to do, one workload a process. Every key is a new string object, as keys from a request are. */

import { performance } from 'node:perf_hooks'
import type { Contender } from '../../alternate.ts'
import { timed } from '../../timed.ts'
import { libraries, type Table } from './libraries.ts'

export interface Job {
  readonly library: string
  readonly workload: keyof typeof WORKLOADS
  readonly entries: number
}

/** The module's part in a child process. */
export function prepare({ library, workload, entries }: Job): Contender {
  return { name: library, ...WORKLOADS[workload](libraries[library]!, entries) }
}

type Make = (entries: number) => Table

const WORKLOADS = {
  /** Read-through, zipf 0.99 over ten times as many keys as entries. CPU ns of one request, and the hit rate. */
  readThrough(make: Make, entries: number) {
    const table = make(entries)
    const ids = zipf(Math.min(6e6, entries * 20 + 1e5), entries * 10)
    let at = 0
    let hits = 0
    let requests = 0
    const turn = timed((count) => {
      for (let done = 0; done < count; done++) {
        const key = keyOf(ids[at]!)
        at = at + 1 === ids.length ? 0 : at + 1
        if (table.get(key) !== undefined) hits++
        else table.set(key, VALUE)
      }
      requests += count
    }, TURN)
    for (const id of ids) if (table.get(keyOf(id)) === undefined) table.set(keyOf(id), VALUE)
    return { turn: async () => ({ ns: await turn(), hitPercent: (hits / requests) * 100 }) }
  },

  /** All keys are there. CPU ns of one get. */
  hits(make: Make, entries: number) {
    const table = filled(make, entries)
    let at = 0
    return {
      turn: timed((count) => {
        let found = 0
        for (let done = 0; done < count; done++) {
          at = (at + STRIDE) % entries
          if (table.get(keyOf(at)) !== undefined) found++
        }
        if (found !== count) throw new Error(`${count - found} of ${count} keys were not there`)
      }, TURN),
    }
  },

  /** A new value for keys that are there. CPU ns of one set. */
  updates(make: Make, entries: number) {
    const table = filled(make, entries)
    const values = [VALUE, { other: true }]
    let at = 0
    let round = 0
    return {
      turn: timed((count) => {
        round++
        for (let done = 0; done < count; done++) {
          at = (at + STRIDE) % entries
          table.set(keyOf(at), values[(round + done) & 1]!)
        }
      }, TURN),
    }
  },

  /** New keys into a full table. CPU ns of one set, and the longest that a few sets took, in ms. */
  churn(make: Make, entries: number) {
    const table = filled(make, entries)
    let next = entries
    return {
      turn() {
        const begin = process.cpuUsage()
        let stallMs = 0
        let beforeMs = performance.now()
        let beforeCpuMs = 0
        for (let done = 0; done < entries; done += 16) {
          for (let few = 0; few < 16; few++) table.set(keyOf(next++), VALUE)
          const nowMs = performance.now()
          const cpuMs = cpuMsSince(begin)
          // Time that passed because another program had the processor is not our stall.
          stallMs = Math.max(stallMs, Math.min(nowMs - beforeMs, cpuMs - beforeCpuMs))
          beforeMs = nowMs
          beforeCpuMs = cpuMs
        }
        return { ns: (cpuMsSince(begin) * 1e6) / entries, stallMs }
      },
    }
  },

  /** Bytes of an entry beyond its key and value, which exist already, in a table that has been full for a while. */
  bytes(make: Make, entries: number) {
    return {
      turn() {
        // One copy of each key, flat: the table is asked about its own memory only.
        const keys = Array.from({ length: entries * 1.5 }, (_, id) => keyOf(id))
        const warm = make(1000)
        for (let id = 0; id < 3000; id++) warm.set(keys[id]!, VALUE)
        const before = usedBytes()
        const table = make(entries)
        for (const key of keys) table.set(key, VALUE)
        const after = usedBytes()
        if (table.get(keys.at(-1)!) === undefined) throw new Error('the last key is not there')
        return (after - before) / entries
      },
    }
  },
} satisfies Record<string, (make: Make, entries: number) => Omit<Contender, 'name'>>

const TURN = { turnMs: 200 }
const VALUE = { value: true }
/** A prime: walks through all keys in an order that caches of the processor cannot guess. */
const STRIDE = 7919

function keyOf(id: number): string {
  return `user:profile:${1e7 + id}`
}

function filled(make: Make, entries: number): Table {
  const table = make(entries)
  for (let id = 0; id < entries; id++) table.set(keyOf(id), VALUE)
  return table
}

function cpuMsSince(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / 1000
}

function usedBytes(): number {
  for (let round = 0; round < 4; round++) globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Keys of a Zipf distribution with exponent 0.99, in no order of size (Gray et al., SIGMOD 1994). */
function zipf(count: number, keys: number): Int32Array {
  let seed = 1
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const exponent = 0.99
  let sum = 0
  for (let rank = 1; rank <= keys; rank++) sum += rank ** -exponent
  const two = 0.5 ** exponent
  const eta = (1 - (2 / keys) ** (1 - exponent)) / (1 - (1 + two) / sum)
  const scatter = new Int32Array(keys).map((_, at) => at)
  for (let at = keys - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const kept = scatter[at]!
    scatter[at] = scatter[other]!
    scatter[other] = kept
  }
  return new Int32Array(count).map(() => {
    const share = random()
    const rank =
      share * sum < 1
        ? 0
        : share * sum < 1 + two
          ? 1
          : Math.floor(keys * (eta * share - eta + 1) ** (1 / (1 - exponent)))
    return scatter[Math.min(keys - 1, rank)]!
  })
}
