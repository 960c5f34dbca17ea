/** Replays a trace as a read-through cache would live it: a hit, or a miss that stores. */

import { HeapTable, type PolicyFactory } from 'millpond/memory'

/** What came of a replay. */
export interface Replayed {
  readonly hitPercent: number
  /** Entries that the fullest moment had above the bound. */
  readonly over: number
}

/** Replays over the policy alone, ids in place of keys: all decisions are the policy's, and it is fast. */
export function replay(ids: Uint32Array, entries: number, factory: PolicyFactory, seed: number): Replayed {
  const shape = { slots: entries, weighted: false }
  const policy = factory.create(shape, new ArrayBuffer(factory.bytes(shape)), 0)
  const slotOf = new Int32Array(ids.reduce((most, id) => Math.max(most, id), 0) + 1).fill(-1)
  const idOf = new Int32Array(entries)
  let used = 0
  let hits = 0
  let most = 0
  for (const id of ids) {
    const known = slotOf[id]!
    if (known >= 0) {
      policy.hit(known)
      hits++
      continue
    }
    const hash = mix(id ^ seed)
    let slot = used
    if (used < entries) used++
    else {
      slot = policy.evict(hash, 1)
      slotOf[idOf[slot]!] = -1
    }
    policy.insert(slot, hash, 1)
    if (policy.weight > most) most = policy.weight
    slotOf[id] = slot
    idOf[slot] = id
  }
  return { hitPercent: (hits / ids.length) * 100, over: Math.max(0, most - entries) }
}

/** Replays through the whole table with string keys. */
export function replayTable(ids: Uint32Array, entries: number, policy: PolicyFactory, seed: number): Replayed {
  const table = new HeapTable<number>({ maxEntries: entries, policy, seed })
  let hits = 0
  let most = 0
  for (const id of ids) {
    const key = `item:${id}`
    if (table.get(key) !== undefined) hits++
    else table.set(key, id)
    if (table.size > most) most = table.size
  }
  return { hitPercent: (hits / ids.length) * 100, over: Math.max(0, most - entries) }
}

/** Replays objects of different sizes through a table that is bounded in bytes. */
export function replayWeighted(
  ids: Uint32Array,
  sizes: Uint32Array,
  maxWeight: number,
  policy: PolicyFactory,
  seed: number,
): Replayed & { readonly bytePercent: number } {
  const table = new HeapTable<number>({ maxWeight, policy, seed })
  let hits = 0
  let hitBytes = 0
  let bytes = 0
  let most = 0
  for (const [at, id] of ids.entries()) {
    const weight = sizes[at]!
    bytes += weight
    if (table.get(`${id}`) !== undefined) {
      hits++
      hitBytes += weight
    } else table.set(`${id}`, id, { weight })
    if (table.weight > most) most = table.weight
  }
  return {
    hitPercent: (hits / ids.length) * 100,
    bytePercent: (hitBytes / bytes) * 100,
    over: Math.max(0, most - maxWeight),
  }
}

function mix(id: number): number {
  let hash = Math.imul(id ^ 0x5bd1e995, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return hash ^ (hash >>> 16)
}
