/** Random operations on tables beside a naive model. Who is evicted, the model learns from the listener; all else it knows. */

import { HeapTable, lru, type PolicyFactory, s3Fifo, sieve, tinyLfu } from 'millpond/memory'
import { manualClock } from 'millpond/testing'

interface Entry {
  readonly value: object
  readonly weight: number
  readonly endsAtMs: number
}

/** How often table and model differed. */
export function soak(operations: number, seed: number): number {
  const random = generator(seed)
  const policies = [tinyLfu, s3Fifo, sieve, lru]
  return policies.reduce((sum, policy) => sum + soakOne(operations / policies.length, policy, random, seed), 0)
}

function soakOne(operations: number, policy: PolicyFactory, random: () => number, seed: number): number {
  const clock = manualClock()
  const model = new Map<string, Entry>()
  /** Values that we have taken away ourselves, and of which the listener has not heard yet. */
  const leaving = new Set<object>()
  let weight = 0
  let differences = 0
  const drop = (key: string): Entry | undefined => {
    const entry = model.get(key)
    model.delete(key)
    weight -= entry?.weight ?? 0
    return entry
  }
  const table = new HeapTable<object>({
    maxWeight: WEIGHT_MAX,
    policy,
    clock,
    seed,
    onRemove(key, value, reason) {
      if (leaving.delete(value)) return
      const entry = drop(key)
      const wrong = reason === 'expire' ? !entry || entry.endsAtMs > clock.monotonic() : reason !== 'evict'
      if (entry?.value !== value || wrong) differences++
    },
  })
  for (let done = 0; done < operations; done++) {
    const key = `${Math.floor(random() ** 3 * 40_000)}`
    const chance = random()
    const entry = model.get(key)
    const live = entry && entry.endsAtMs > clock.monotonic() ? entry : undefined
    if (chance < 0.55) {
      if (table.get(key) !== live?.value) differences++
    } else if (chance < 0.97) {
      const value = { key }
      const bytes = 1 + Math.floor(random() * 60)
      const ttlMs = random() < 0.5 ? Number.POSITIVE_INFINITY : Math.floor(random() ** 4 * 1e6)
      if (entry) leaving.add(entry.value)
      drop(key)
      model.set(key, { value, weight: bytes, endsAtMs: clock.monotonic() + ttlMs })
      weight += bytes
      table.set(key, value, { weight: bytes, ttlMs })
    } else if (chance < 0.995) {
      if (entry) leaving.add(entry.value)
      drop(key)
      if (table.delete(key) !== (live !== undefined)) differences++
    } else clock.advanceNow(Math.floor(random() * 500))
    // Every value that left was told by the time the call came back, once.
    if (leaving.size > 0 || table.weight > WEIGHT_MAX || table.weight !== weight || table.size !== model.size)
      differences++
    leaving.clear()
  }
  return differences
}

const WEIGHT_MAX = 200_000

function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
