/** What a table is asked to do, one workload a process. Every key is a new string object, as keys from a request are. */

import { performance } from 'node:perf_hooks'
import type { Contender } from '../../alternate.ts'
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
    // One reader for all turns: each goes on where the last one ended, or a turn would ask again for what it has just put in.
    const next = nextOf(ids)
    let hits = 0
    let requests = 0
    const turn = (count: number) =>
      batches(count, next, (keys) => {
        for (const key of keys) {
          if (table.get(key) !== undefined) hits++
          else table.set(key, VALUE)
        }
        requests += keys.length
      })
    turn(ids.length)
    hits = requests = 0
    return { turn: () => ({ ns: turn(TURN), hitPercent: (hits / requests) * 100 }) }
  },

  /** All keys are there. CPU ns of one get. */
  hits(make: Make, entries: number) {
    const table = filled(make, entries)
    const next = strides(entries)
    return {
      turn: () =>
        batches(TURN, next, (keys) => {
          let found = 0
          for (const key of keys) if (table.get(key) !== undefined) found++
          if (found !== keys.length) throw new Error(`${keys.length - found} of ${keys.length} keys were not there`)
        }),
    }
  },

  /** A new value for keys that are there. CPU ns of one set. */
  updates(make: Make, entries: number) {
    const table = filled(make, entries)
    const next = strides(entries)
    let value = VALUE
    return {
      turn: () =>
        batches(TURN, next, (keys) => {
          value = { value: !value.value }
          for (const key of keys) table.set(key, value)
        }),
    }
  },

  /** New keys into a full table. CPU ns of one set, and the longest that a few sets took, in ms. */
  churn(make: Make, entries: number) {
    const table = filled(make, entries)
    let next = entries
    return {
      turn() {
        let stallMs = 0
        const ns = batches(
          entries,
          () => next++,
          (keys) => {
            const begin = process.cpuUsage()
            let beforeMs = performance.now()
            let beforeCpuMs = 0
            for (let done = 0; done < keys.length; done += 16) {
              for (let at = done; at < done + 16; at++) table.set(keys[at]!, VALUE)
              const nowMs = performance.now()
              const cpuMs = cpuMsSince(begin)
              // Time that passed because another program had the processor is not our stall.
              stallMs = Math.max(stallMs, Math.min(nowMs - beforeMs, cpuMs - beforeCpuMs))
              beforeMs = nowMs
              beforeCpuMs = cpuMs
            }
          },
        )
        return { ns, stallMs }
      },
    }
  },

  /** Bytes of an entry beyond its key and value, which exist already, in a table that has been full for a while. */
  bytes(make: Make, entries: number) {
    let nextId = 0
    return {
      turn() {
        // Flat strings that exist before: the table is asked about its own memory only.
        const keys: string[] = []
        while (keys.length < entries * 1.5) keys.push(...newKeys(500, () => nextId++))
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

/** Operations of a turn. */
const TURN = 320_000
const BATCH = 16_000
const VALUE = { value: true }

/**
 * CPU ns of an operation. Keys are made before each batch, outside of the measured time: new flat strings whose hash nobody
 * has computed, as a parser makes them from what a socket received.
 */
function batches(count: number, nextId: () => number, work: (keys: readonly string[]) => void): number {
  let cpuMs = 0
  for (let done = 0; done < count; done += BATCH) {
    const keys = newKeys(BATCH, nextId)
    const begin = process.cpuUsage()
    work(keys)
    cpuMs += cpuMsSince(begin)
  }
  return (cpuMs * 1e6) / (Math.ceil(count / BATCH) * BATCH)
}

function newKeys(count: number, nextId: () => number): string[] {
  const text = Buffer.from(Array.from({ length: count }, () => keyOf(nextId())).join(''), 'latin1')
  const length = text.length / count
  return Array.from({ length: count }, (_, at) => text.toString('latin1', at * length, (at + 1) * length))
}

function nextOf(ids: Int32Array): () => number {
  let at = 0
  return () => {
    at = at + 1 === ids.length ? 0 : at + 1
    return ids[at]!
  }
}

/** All ids in steps of a prime: an order that caches of the processor cannot guess. */
function strides(entries: number): () => number {
  let id = 0
  return () => {
    id = (id + 7919) % entries
    return id
  }
}

/** Of the same length for all ids. */
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
