import { expect, test } from 'vitest'
import { ChangedTags } from './changed-tags.ts'
import { UnsettledCommits } from './unsettled.ts'
import { ANY, Watches } from './watches.ts'

const table = { schema: 'public', table: 'orders' }

/** Watches, and the tags that still would be told: those that are new are in use until they are forgotten. */
function counting() {
  const told = new Set<string>()
  const forgotten: string[] = []
  const watches = new Watches({
    isNew: (_, tag) => void told.add(tag),
    forgotten(tags) {
      forgotten.push(...tags)
      for (const tag of tags) told.delete(tag)
    },
  })
  return { watches, told, forgotten }
}

/** An hour of new queries is a number of them: what is kept stays bounded, and what is forgotten is handed back. */
test('a hundred thousand combinations of values with ranges keep a bounded number of ranges', () => {
  const { watches, told, forgotten } = counting()
  const watch = watches.watch({ table, columns: ['tenant'], range: 'price', used: undefined })
  const count = 100_000
  for (let tenant = 0; tenant < count; tenant++) {
    watch.tags([[String(tenant)]], { low: 0n, high: 5n })
    // One is asked for all the time.
    if (tenant % 100 === 0) watch.tags([['busy']], { low: 0n, high: 5n })
  }
  expect(watch.size).toBe(10_000)
  expect(told.size).toBe(10_000 + 1)
  expect(forgotten).toHaveLength(count + 1 - 10_000)
  expect(watch.rangeTags(['busy'], 1n)).toHaveLength(1)
  expect(watch.rangeTags(['0'], 1n)).toEqual([])
  expect(watch.rangeTags([String(count - 1)], 1n)).toHaveLength(1)
})

test('twenty thousand shapes of queries keep a bounded number of watches; a forgotten one begins anew when it is used', () => {
  const { watches, forgotten } = counting()
  const columns = (at: number) => [`c${at}`]
  const first = watches.watch({ table, columns: columns(0), range: 'price', used: undefined })
  first.tags([['1']], { low: 1n, high: 2n })
  for (let at = 1; at <= 20_000; at++) {
    watches.watch({ table, columns: columns(at), used: undefined }).tags([['1']])
    if (at < 400) first.tags([['1']], { low: 1n, high: 2n })
  }
  expect([...watches.of('orders')]).toHaveLength(500)
  expect(forgotten).toHaveLength(20_001 - 500)
  expect(forgotten).toContain(first.tag)
  expect(forgotten.indexOf(first.tag)).toBeGreaterThan(300)

  const before = watches.sequence
  const version = watches.version
  const half = new ChangedTags(1000, watches)
  half.row('orders', '1')
  const [tag] = first.tags([['1']], { low: 1n, high: 2n })
  expect([...watches.of('orders')]).toContain(first)
  expect([...watches.of('orders')]).toHaveLength(500)
  expect(watches.version).toBeGreaterThan(version)
  expect(first.changedAt).toBeGreaterThan(before)
  expect(half.list()).toContain(tag)
})

test('a tag that is forgotten from elsewhere begins anew too: a watch, and a single range', () => {
  const { watches } = counting()
  const watch = watches.watch({ table, columns: ['note'], range: 'price', used: undefined })
  const [own, range] = watch.tags([['what? #:1']], { low: 1n, high: 2n })
  watches.forget(range!)
  expect(watch.rangeTags(['what? #:1'], 1n)).toEqual([])
  expect([...watches.of('orders')]).toEqual([watch])
  const before = watches.sequence
  watch.tags([['what? #:1']], { low: 1n, high: 2n })
  expect(watch.changedAt).toBeGreaterThan(before)
  watches.forget(own!)
  expect([...watches.of('orders')]).toEqual([])
  watches.forget('orders:17')
})

test('once somebody depends on everything, every commit says so, what was half read and what is unsettled included', () => {
  const unsettled = new UnsettledCommits()
  unsettled.add(1, ['orders', 'orders:1'], 0n)
  unsettled.add(2, ['users'], 0n)
  const watches = new Watches({ isNew: (of, tag) => void unsettled.extend(of, tag), forgotten() {} })
  const half = new ChangedTags(1000, watches)
  half.row('orders', '1')
  expect(half.list()).toEqual(['orders', 'orders:1'])
  watches.watchAny()
  watches.watchAny()
  expect(half.list()).toEqual(['orders', 'orders:1', ANY])
  expect(new ChangedTags(1000, watches).list()).toEqual([])
  expect(unsettled.tags()).toEqual([
    ['orders', 'orders:1', ANY],
    ['users', ANY],
  ])
})

test('a commit that stays invisible gathers a bounded number of tags, and then stands for all rows', () => {
  const unsettled = new UnsettledCommits()
  unsettled.add(1, ['orders'], 0n)
  unsettled.add(2, ['users'], 0n)
  const added = Array.from({ length: 30_000 }, (_, at) => unsettled.extend('orders', `orders?w:${at}`))
  const [orders, users] = unsettled.tags()
  expect(orders).toHaveLength(10_001)
  expect(orders!.at(-1)).toBe('orders:*')
  expect(users).toEqual(['users'])
  expect(added.flat()).toEqual(orders!.slice(1))
})
