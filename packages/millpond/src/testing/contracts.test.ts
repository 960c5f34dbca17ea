import { describe, expect, test } from 'vitest'
import type { Store, StoreRecord } from '../core/store.ts'
import { busContract } from './contracts-bus.ts'
import { feedContract } from './contracts-feed.ts'
import { type StoreSubject, storeContract } from './contracts-store.ts'
import { manualClock } from './manual-clock.ts'
import { type BusEnd, MemoryBusHub } from './memory-bus.ts'
import { MemoryFeed } from './memory-feed.ts'
import { MemoryStore } from './memory-store.ts'

function storeSubject(make: (memory: MemoryStore) => Store = (memory) => memory): StoreSubject {
  const clock = manualClock()
  const memory = new MemoryStore(clock)
  return { open: () => make(memory), pass: (ms) => clock.advance(ms) }
}

function busSubject() {
  const hub = new MemoryBusHub()
  return {
    connect: () => hub.connect(),
    delivered: () => manualClock().advance(0),
    cut: (end: BusEnd) => end.cut(),
    heal: (end: BusEnd) => end.heal(),
  }
}

function feedSubject() {
  const clock = manualClock()
  const feed = new MemoryFeed({ clock, tables: ['trades'] })
  return {
    feed,
    table: 'trades',
    rowTag: (row: number) => `trades:${row}`,
    commit: async (row: number) => feed.commit('trades', `trades:${row}`),
    async caughtUp() {
      feed.resume()
      feed.settle()
      await clock.advance(1)
    },
    async interrupt() {
      feed.break('cut')
    },
    nowMs: () => clock.monotonic(),
  }
}

describe('MemoryStore keeps the contract of Store', () => {
  for (const { name, run } of storeContract) test(name, () => run(storeSubject()))
})

describe('MemoryBusHub keeps the contract of Bus', () => {
  for (const { name, run } of busContract) test(name, () => run(busSubject() as never))
})

describe('MemoryFeed keeps the contract of Feed', () => {
  for (const { name, run } of feedContract) test(name, () => run(feedSubject()))

  test('a listener that comes between announcement and visibility is told of it', () => {
    const { feed } = feedSubject()
    feed.commit('trades', 'trades:1')
    const told: string[] = []
    feed.subscribe({
      invalidate: (tags) => void told.push(`invalidate ${tags.join()}`),
      settle: (tags) => void told.push(`settle ${tags.join()}`),
      reset: () => {},
    })
    feed.settle()
    expect(told).toEqual(['invalidate trades,trades:1', 'settle trades,trades:1'])
  })
})

describe('a store that breaks the contract is found out', () => {
  const trimmed = (key: string): string => Buffer.from(key).toString()
  const broken: Record<string, (memory: MemoryStore) => Partial<Store>> = {
    'fills whatever the mark': (memory) => ({
      fill: async (key: string, record: StoreRecord) => {
        const [mark] = await memory.invalidate([key], 1000, false)
        return await memory.fill(key, record, mark!)
      },
    }),
    'deletes without a tombstone': (memory) => ({
      async invalidate(keys: readonly string[]) {
        await memory.invalidate(keys, 0, false)
        return keys.map(() => 'gone')
      },
    }),
    'gives one mark to all tombstones': (memory) => ({
      async invalidate(keys, fenceMs, held) {
        const marks = await memory.invalidate(keys, fenceMs, held)
        return marks.map(() => marks[0]!)
      },
    }),
    'does not hold': (memory) => ({
      invalidate: (keys, fenceMs) => memory.invalidate(keys, fenceMs, false),
    }),
    'forgets the order of keys': (memory) => ({
      read: (keys, tags) => memory.read([...keys].reverse(), tags),
    }),
    'does not count life down': (memory) => ({
      async read(keys, tags) {
        const { entries, versions } = await memory.read(keys, tags)
        const young = entries.map((read) =>
          read.record ? { ...read, record: { ...read.record, freshMs: 300 } } : read,
        )
        return { entries: young, versions }
      },
    }),
    'does not bump': () => ({ bump: async () => {} }),
    'bumps without holding': (memory) => ({ bump: (tags) => memory.bump(tags, undefined) }),
    'trims keys': (memory) => ({
      read: (keys, tags) => memory.read(keys.map(trimmed), tags),
      fill: (key, record, mark) => memory.fill(trimmed(key), record, mark),
      invalidate: (keys, fenceMs, held) => memory.invalidate(keys.map(trimmed), fenceMs, held),
    }),
    'gives a lease to everyone': () => ({ lease: async () => true }),
    'never takes a lease back': () => ({ release: async () => {} }),
    "takes anyone's lease back": (memory) => ({
      async release(key) {
        for (const holder of ['one', 'other']) await memory.release(key, holder)
      },
    }),
    'reads keys and forgets the tags': (memory) => ({
      read: (keys, tags) => memory.read(keys, keys.length > 0 ? [] : tags),
    }),
  }
  test.each(Object.entries(broken))('one that %s', async (_, change) => {
    const make = (memory: MemoryStore): Store => {
      const changed = change(memory)
      return new Proxy(memory, {
        get(target, method: keyof Store) {
          const member = changed[method] ?? target[method]
          return typeof member === 'function' ? member.bind(target) : member
        },
      }) as Store
    }
    const results = await Promise.allSettled(storeContract.map(({ run }) => run(storeSubject(make))))
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
  })
})
