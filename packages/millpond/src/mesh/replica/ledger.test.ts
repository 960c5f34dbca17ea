import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { BUCKETS } from './buckets.ts'
import type { EntryState } from './entry.ts'
import { Ledger, type LedgerOptions } from './ledger.ts'

const RECENT: LedgerOptions = {
  name: 'map',
  everything: false,
  rememberMs: 600_000,
  rememberedMax: 5,
  sum: new Uint32Array(BUCKETS * 2),
}
const EVERYTHING: LedgerOptions = { ...RECENT, everything: true }

function change(ledger: Ledger, key: string, version: number, state: EntryState, nowMs = 0, rememberMs?: number): void {
  const entry = ledger.find(key) ?? ledger.open(key)
  ledger.uncount(entry)
  entry.version = version
  entry.origin = 1
  entry.state = state
  ledger.count(entry, nowMs, rememberMs)
}

const isZero = ({ buckets }: Ledger) => buckets.hashes.every((hash) => hash === 0)

describe('where every peer holds everything', () => {
  test('what is held counts for good, a deletion for as long as it is remembered', () => {
    const ledger = new Ledger(EVERYTHING)
    change(ledger, 'k', 1, 'held')
    ledger.sweep(10_000_000)
    expect([isZero(ledger), ledger.size, ledger.remembered]).toEqual([false, 1, 0])
    change(ledger, 'k', 2, 'deleted', 10_000_000)
    ledger.sweep(10_599_000)
    expect([isZero(ledger), ledger.size, ledger.remembered]).toEqual([false, 1, 1])
    ledger.sweep(10_600_000)
    expect([isZero(ledger), ledger.size, ledger.remembered, ledger.floor]).toEqual([true, 0, 0, 2])
  })

  test('what has expired is remembered only if there was an earlier value that could come back', () => {
    const ledger = new Ledger(EVERYTHING)
    for (const [key, follows] of [
      ['first', false],
      ['second', true],
    ] as const) {
      change(ledger, key, 2, 'held')
      const entry = ledger.find(key)!
      entry.follows = follows
      ledger.left(entry, 'expired', 0)
    }
    expect([ledger.find('first'), ledger.find('second')?.state]).toEqual([undefined, 'expired'])
  })

  test('more deletions than are remembered: the oldest versions go, and how far back is known shrinks for as long', () => {
    const ledger = new Ledger(EVERYTHING)
    for (let at = 0; at < 8; at++) change(ledger, `k${at}`, 100 - at, 'deleted', at * 1000)
    expect([ledger.remembered, ledger.floor, ledger.remembersMs]).toEqual([5, 95, 0])
    expect(['k0', 'k4', 'k5', 'k7'].map((key) => ledger.find(key) !== undefined)).toEqual([true, true, false, false])
    ledger.sweep(607_000)
    expect(ledger.remembersMs).toBe(600_000)
  })
})

describe('where peers hold different keys', () => {
  test('held or not does not matter, and after a while neither does the change', () => {
    const [holder, other] = [new Ledger(RECENT), new Ledger(RECENT)]
    change(holder, 'k', 1, 'held')
    change(other, 'k', 1, 'elsewhere')
    expect(holder.buckets.hashes).toEqual(other.buckets.hashes)
    holder.left(holder.find('k')!, 'elsewhere', 0)
    expect(holder.buckets.hashes).toEqual(other.buckets.hashes)
    change(holder, 'l', 2, 'held')
    for (const ledger of [holder, other]) ledger.sweep(600_000)
    expect([isZero(holder), isZero(other), holder.size, other.size]).toEqual([true, true, 1, 0])
    holder.left(holder.find('l')!, 'elsewhere', 600_000)
    expect(holder.size).toBe(0)
  })

  test('peers that know the same remember the same, in whatever order it came, with repetitions', () => {
    const random = seededRandom(7)
    for (let turn = 0; turn < 50; turn++) {
      const changes = Array.from({ length: 20 }, (_, at) => ({ key: `k${Math.floor(random() * 9)}`, version: at + 1 }))
      const ledgers = [new Ledger(RECENT), new Ledger(RECENT)]
      for (const ledger of ledgers) {
        const order = [...changes, ...changes].sort(() => random() - 0.5)
        for (const { key, version } of order) {
          const known = ledger.find(key)
          if (known ? known.version < version : version > ledger.floor)
            change(ledger, key, version, random() < 0.5 ? 'held' : 'elsewhere')
        }
        expect(ledger.remembered).toBeLessThanOrEqual(5)
      }
      const [one, other] = ledgers.map(({ buckets }) => Buffer.from(buckets.hashes.buffer))
      expect(one!.equals(other!), `turn ${turn}`).toBe(true)
    }
  })

  test('nothing grows with the number of changes', () => {
    const ledger = new Ledger(RECENT)
    for (let at = 1; at <= 100_000; at++) change(ledger, `k${at}`, at, 'elsewhere', at)
    expect([ledger.size, ledger.remembered]).toEqual([5, 5])
  })
})

test('a clear voids what is older and counts itself', () => {
  const [one, other] = [new Ledger(EVERYTHING), new Ledger(EVERYTHING)]
  change(one, 'old', 1, 'held')
  change(one, 'new', 9, 'held')
  change(other, 'new', 9, 'held')
  expect(one.clearUpTo(5, 1).map(({ key }) => key)).toEqual(['old'])
  expect(one.buckets.hashes).not.toEqual(other.buckets.hashes)
  other.clearUpTo(5, 1)
  expect(one.buckets.hashes).toEqual(other.buckets.hashes)
  expect(one.size).toBe(1)
})

test('the sum is that of all ledgers, whatever happens to one', () => {
  const sum = new Uint32Array(BUCKETS * 2)
  const random = seededRandom(3)
  const ledgers = ['a', 'b', 'c'].map((name) => new Ledger({ ...RECENT, name, sum, everything: name === 'a' }))
  for (let version = 1; version < 500; version++) {
    const ledger = ledgers[version % 3]!
    const states = ['held', 'deleted', 'elsewhere'] as const
    change(ledger, `k${Math.floor(random() * 20)}`, version, states[Math.floor(random() * 3)]!)
    if (random() < 0.02) ledger.clearUpTo(version, 1)
    if (random() < 0.01) ledger.clear()
  }
  const added = sum.map((_, at) => ledgers.reduce((all, { buckets }) => all ^ buckets.hashes[at]!, 0))
  expect(sum).toEqual(added)
  expect(sum.some((hash) => hash !== 0)).toBe(true)
  for (const ledger of ledgers) ledger.clear()
  expect(sum.every((hash) => hash === 0)).toBe(true)
})
