/** One contender of the suite `get-or-set`, in a process of its own: a warm cache that is only ever hit. */

import type { Contender } from '../../alternate.ts'
import { type Trade, trade } from '../../peers/trade.ts'
import { timed } from '../../timed.ts'
import { open } from './subjects.ts'

/** Room for all: nothing is evicted, so each read after the first must be a hit. */
const KEYS = 1000
const ENTRIES = 10_000
const BATCH = 64
const TTL_MS = 3_600_000

export interface Argument {
  readonly subject: string
  readonly turnMs: number
}

/** Opens and fills the cache, proves that it answers from memory and with the right rows, and readies its loops. */
export async function prepare({ subject, turnMs }: Argument): Promise<Contender> {
  let loads = 0
  const load = async (key: string): Promise<Trade> => {
    loads++
    return trade(key)
  }
  const cache = await open(subject, { load, entries: ENTRIES, ttlMs: TTL_MS })
  for (let i = 0; i < KEYS; i++) await cache.warm(keyOf(i))
  for (let i = 0; i < KEYS; i++) {
    const value = cache.kind === 'sync' ? cache.get(keyOf(i)) : await cache.get(keyOf(i))
    if (value?.id !== keyOf(i)) throw new Error(`${subject}: ${keyOf(i)} answered ${JSON.stringify(value)}`)
  }
  const loops = cache.kind === 'sync' ? syncLoops(cache.get) : asyncLoops(cache.get)
  const turns = Object.entries(loops).map(([measure, loop]) => [measure, timed(loop, { turnMs })] as const)
  return {
    name: subject,
    async turn() {
      const measured: Record<string, number> = {}
      for (const [measure, run] of turns) measured[measure] = await run()
      if (loads !== KEYS)
        throw new Error(`${subject} loaded ${loads} times for ${KEYS} keys: it misses where it should hit`)
      return measured
    },
    close: async () => void (await cache.close()),
  }
}

type Loops = Record<string, (count: number) => void | Promise<void>>

/**
 * `kept`: one read after the other, keys that are other string objects than those that were stored.
 * `fresh`: the same with a key built for each read. `batch`: 64 reads at a time.
 */
function asyncLoops(get: (key: string) => Promise<Trade>): Loops {
  const keys = scattered()
  return {
    async kept(count) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += (await get(keys[i % KEYS]!)).quantity
      check(sum, count)
    },
    async fresh(count) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += (await get(keyOf(place(i)))).quantity
      check(sum, count)
    },
    async batch(count) {
      let sum = 0
      for (let i = 0; i < count; ) {
        const reads: Promise<Trade>[] = []
        for (let end = Math.min(i + BATCH, count); i < end; i++) reads.push(get(keys[i % KEYS]!))
        for (const value of await Promise.all(reads)) sum += value.quantity
      }
      check(sum, count)
    },
  }
}

function syncLoops(get: (key: string) => Trade | undefined): Loops {
  const keys = scattered()
  return {
    kept(count) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += get(keys[i % KEYS]!)!.quantity
      check(sum, count)
    },
    fresh(count) {
      let sum = 0
      for (let i = 0; i < count; i++) sum += get(keyOf(place(i)))!.quantity
      check(sum, count)
    },
  }
}

const keyOf = (i: number): string => `trade:${i}`
/** Walks all the keys, neighbours far apart. */
const place = (i: number): number => (i * 7919) % KEYS
const scattered = (): string[] => Array.from({ length: KEYS }, (_, i) => keyOf(place(i)))

function check(sum: number, count: number): void {
  if (sum !== count * trade('').quantity) throw new Error(`${count} reads gave wrong values: ${sum}`)
}
