import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import type { PolicyFactory } from '../policy.ts'
import { lru } from './lru.ts'
import { s3Fifo } from './s3-fifo.ts'
import { sieve } from './sieve.ts'
import { tinyLfu } from './tiny-lfu.ts'

/** Hit rate in percent of a read-through cache of so many entries. */
function hitRate(ids: Iterable<number>, entries: number, factory: PolicyFactory): number {
  const shape = { slots: entries, weighted: false }
  const policy = factory.create(shape, new ArrayBuffer(factory.bytes(shape)), 0)
  const slotOf = new Map<number, number>()
  const idOf: number[] = []
  let hits = 0
  let requests = 0
  for (const id of ids) {
    requests++
    const known = slotOf.get(id)
    if (known !== undefined) {
      policy.hit(known)
      hits++
      continue
    }
    const hash = mix(id)
    let slot = slotOf.size
    if (slot === entries) {
      slot = policy.evict(hash, 1)
      slotOf.delete(idOf[slot]!)
    }
    policy.insert(slot, hash, 1)
    if (policy.weight > entries) throw new Error(`${policy.weight} of ${entries} entries`)
    slotOf.set(id, slot)
    idOf[slot] = id
  }
  return (hits / requests) * 100
}

function mix(id: number): number {
  let hash = Math.imul(id ^ 0x2545f491, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return hash ^ (hash >>> 16)
}

/** 0 … length - 1 over and over. */
function* loop(length: number, requests: number): Iterable<number> {
  for (let at = 0; at < requests; at++) yield at % length
}

/** Ids of a skewed distribution: half of the requests go to about a tenth of the ids. */
function* skewed(ids: number, requests: number, seed: number, first = 0): Iterable<number> {
  const random = seededRandom(seed)
  for (let at = 0; at < requests; at++) yield first + Math.floor(random() ** 3.5 * ids)
}

/** Each id is new, is asked for again twice within the next `within` requests, and never again. */
function* recent(requests: number, within: number, seed: number): Iterable<number> {
  const random = seededRandom(seed)
  const later = new Map<number, number[]>()
  let next = 1e6
  for (let at = 0; at < requests; at++) {
    const due = later.get(at)
    later.delete(at)
    if (due) {
      yield* due
      continue
    }
    const id = next++
    for (let again = 0; again < 2; again++) {
      const when = at + 1 + Math.floor(random() * within)
      later.set(when, [...(later.get(when) ?? []), id])
    }
    yield id
  }
}

describe('the default policy', () => {
  test('a loop a little longer than the table: most of it stays, where LRU, SIEVE and S3-FIFO keep next to nothing', () => {
    expect(hitRate(loop(1100, 300_000), 1000, tinyLfu)).toBeGreaterThan(80)
    expect(hitRate(loop(2000, 300_000), 1000, tinyLfu)).toBeGreaterThan(44)
    expect(hitRate(loop(1100, 300_000), 1000, lru)).toBe(0)
    expect(hitRate(loop(1100, 300_000), 1000, sieve)).toBeLessThan(5)
  })

  test('a scan does not wash out what is used', () => {
    const random = seededRandom(1)
    const inUse = (requests: number) => Array.from({ length: requests }, () => Math.floor(random() * 800))
    const warm = inUse(50_000)
    const scan = Array.from({ length: 20_000 }, (_, at) => 1e6 + at)
    const after = inUse(800)
    const hitsAfter = (policy: PolicyFactory) =>
      hitRate([...warm, ...scan, ...after], 1000, policy) * 708 - hitRate([...warm, ...scan], 1000, policy) * 700
    expect(hitsAfter(tinyLfu)).toBeGreaterThan(780)
    expect(hitsAfter(lru)).toBeLessThan(400)
  })

  test('recency only: as good as LRU, where a frequency filter alone would refuse every newcomer', () => {
    for (const [entries, within] of [
      [1000, 300],
      [1000, 500],
      [200, 90],
    ] as const) {
      const best = hitRate(recent(200_000, within, 3), entries, lru)
      expect(best).toBeGreaterThan(55)
      expect(hitRate(recent(200_000, within, 3), entries, tinyLfu)).toBeGreaterThan(best - 1)
    }
  })

  test('a change of phase: the old favourites make way within a few turnovers', () => {
    const requests = 100_000
    const phases = [
      ...skewed(5000, requests, 4),
      ...loop(1200, requests),
      ...recent(requests, 400, 5),
      ...skewed(5000, requests, 6, 1e7),
    ]
    const alone =
      (hitRate(skewed(5000, requests, 4), 1000, tinyLfu) +
        hitRate(loop(1200, requests), 1000, tinyLfu) +
        hitRate(recent(requests, 400, 5), 1000, tinyLfu) +
        hitRate(skewed(5000, requests, 6, 1e7), 1000, tinyLfu)) /
      4
    expect(hitRate(phases, 1000, tinyLfu)).toBeGreaterThan(alone - 2.5)
  })

  test('frequency: beats LRU and SIEVE on a skewed load', () => {
    const rate = (policy: PolicyFactory) => hitRate(skewed(20_000, 200_000, 7), 1000, policy)
    expect(rate(tinyLfu)).toBeGreaterThan(rate(lru) + 3)
    expect(rate(tinyLfu)).toBeGreaterThan(rate(sieve))
    expect(rate(s3Fifo)).toBeGreaterThan(rate(lru) + 1)
  })

  test('small tables, 1 to 100 entries: never far below LRU', () => {
    for (const entries of [1, 2, 3, 5, 8, 13, 30, 100]) {
      for (const ids of [[...skewed(entries * 20, 30_000, 8)], [...recent(30_000, Math.ceil(entries / 3), 9)]]) {
        expect(hitRate(ids, entries, tinyLfu), `${entries} entries`).toBeGreaterThan(hitRate(ids, entries, lru) - 3)
      }
    }
  })
})

describe.each([tinyLfu, s3Fifo, sieve, lru])('$name', (factory) => {
  test('lives in the memory it is given: a second object over the same bytes continues where the first is', () => {
    const shape = { slots: 50, weighted: true }
    const shared = new SharedArrayBuffer(factory.bytes(shape) + 16)
    const objects = [
      factory.create(shape, shared, 16),
      factory.create(shape, shared, 16),
      factory.create(shape, shared, 16),
    ]
    const single = factory.create(shape, new ArrayBuffer(factory.bytes(shape)), 0)
    const random = seededRandom(10)
    const used = new Set<number>()
    for (let at = 0; at < 20_000; at++) {
      const id = Math.floor(random() ** 2 * 300)
      const turn = objects[at % 3]!
      const slot = id % 50
      if (used.has(slot)) {
        turn.hit(slot)
        single.hit(slot)
        if (id % 7 === 0) {
          turn.reweigh(slot, 1 + (id % 9))
          single.reweigh(slot, 1 + (id % 9))
        }
        if (id % 11 === 0) {
          const left = turn.evict(mix(id), 2)
          expect(single.evict(mix(id), 2)).toBe(left)
          used.delete(left)
        }
      } else {
        turn.insert(slot, mix(id), 1 + (id % 5))
        single.insert(slot, mix(id), 1 + (id % 5))
        used.add(slot)
      }
      expect(objects[(at + 1) % 3]!.weight).toBe(single.weight)
    }
    const order: number[] = []
    for (let slot = single.colder(-1); slot >= 0; slot = single.colder(slot)) order.push(slot)
    expect([...order].sort()).toEqual([...used].sort())
  })

  test('is empty after clear, and evicts nothing then', () => {
    const shape = { slots: 4, weighted: false }
    const policy = factory.create(shape, new ArrayBuffer(factory.bytes(shape)), 0)
    expect(policy.evict(1, 1)).toBe(-1)
    for (let slot = 0; slot < 4; slot++) policy.insert(slot, mix(slot), 1)
    policy.remove(2)
    policy.clear()
    expect([policy.weight, policy.colder(-1), policy.hotter(-1), policy.evict(1, 1)]).toEqual([0, -1, -1, -1])
  })
})
