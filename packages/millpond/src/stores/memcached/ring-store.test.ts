import { afterEach, describe, expect, test } from 'vitest'
import { freeze } from '../../../../../tools/servers/child.ts'
import { type MemcachedServer, startMemcacheds } from '../../../../../tools/servers/memcached.ts'
import { LOG_MAX } from '../../core/invalidation-log.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { MemoryStore } from '../../testing/memory-store.ts'
import { memcachedStore } from './memcached-store.ts'
import { Ring } from './ring.ts'
import { RingStore } from './ring-store.ts'

const HOUR_MS = 3_600_000
const NAMES = ['one:1', 'two:2', 'three:3']
const KEYS = Array.from({ length: 30 }, (_, at) => `k${at}`)
const record: StoreRecord = { value: 'x', freshMs: HOUR_MS, keepMs: HOUR_MS, tags: [] }

function setup() {
  const clock = manualClock()
  const isDown = NAMES.map(() => false)
  const memories = NAMES.map(() => new MemoryStore(clock))
  const servers = NAMES.map((name, at) => ({
    name,
    store: faultyStore(memories[at]!, ({ method }) => {
      if (isDown[at] && method !== 'close') throw new Error('down')
    }),
  }))
  const open = () => new RingStore({ name: 'ring', servers, timeoutMs: 20, clock })
  const ring = new Ring(NAMES)
  return { clock, isDown, memories, open, store: open(), placeOf: (name: string) => ring.placeOf(name) }
}

async function found(store: Store): Promise<string[]> {
  const { entries } = await store.read(KEYS, [])
  return KEYS.filter((_, at) => entries[at]!.record !== undefined)
}

async function fillAll(store: Store): Promise<void> {
  await Promise.all(KEYS.map((key) => store.fill(key, record, '')))
}

describe('of three servers one is down', () => {
  test('its keys are misses that nothing is filled on; all others are found', async () => {
    const { store, isDown, placeOf } = setup()
    await fillAll(store)
    isDown[0] = true
    const theirs = KEYS.filter((key) => placeOf(key) !== 0)
    expect(theirs.length).toBeGreaterThan(10)
    expect(await found(store)).toEqual(theirs)
    const { entries } = await store.read(KEYS, [])
    const own = KEYS.findIndex((key) => placeOf(key) === 0)
    expect(entries[own]!.mark).not.toBe('')
    expect(await store.fill(KEYS[own]!, record, entries[own]!.mark)).toBe(false)
    expect(await store.lease(KEYS[own]!, 'me', 1000)).toBe(true)
    await store.release(KEYS[own]!, 'me')
  })

  test('its keys are not given to others, so nothing old is found when it is back', async () => {
    const { store, isDown, memories, placeOf, clock } = setup()
    await fillAll(store)
    isDown[0] = true
    await store.invalidate(KEYS, 30_000, false)
    await fillAll(store)
    expect(memories[0]!.calls).toEqual(memories[0]!.calls.filter((call) => call === 'fill'))
    isDown[0] = false
    await clock.advance(2000)
    expect(await found(store)).toEqual([])
    const marks = await store.invalidate(KEYS, 30_000, false)
    await Promise.all(KEYS.map((key, at) => store.fill(key, record, marks[at]!)))
    expect(await found(store)).toEqual(KEYS)
    expect(KEYS.some((key) => placeOf(key) === 0)).toBe(true)
  })

  test('its tags have versions that nothing is valid under, and new ones when they were bumped meanwhile', async () => {
    const { store, isDown, placeOf, clock } = setup()
    const tag = KEYS.find((key) => placeOf(key) === 0)!
    const other = KEYS.find((key) => placeOf(key) === 1)!
    const before = (await store.read([], [tag, other])).versions
    isDown[0] = true
    const [first, second] = [await store.read([], [tag, other]), await store.read([], [tag, other])]
    expect(new Set([before[0], first.versions[0], second.versions[0]]).size).toBe(3)
    expect(first.versions[1]).toBe(before[1])
    await store.bump([tag], undefined)
    isDown[0] = false
    await clock.advance(2000)
    const after = (await store.read([], [tag, other])).versions
    expect([before[0] === after[0], before[1] === after[1]]).toEqual([false, true])
  })

  test('who watches is told when it is back: versions that were made up meanwhile are not to be remembered', async () => {
    const { store, isDown, clock } = setup()
    let doubts = 0
    const stop = store.watch(() => doubts++)
    isDown[0] = true
    await store.read(KEYS, [])
    expect(doubts).toBe(0)
    isDown[0] = false
    await clock.advance(2000)
    expect(doubts).toBe(1)
    stop()
  })

  test('more than can be remembered for it is refused, for the cache to void everything', async () => {
    const { store, isDown, clock } = setup()
    isDown[0] = true
    const names = Array.from({ length: LOG_MAX * 4 }, (_, at) => `n${at}`)
    let refused = 0
    for (let at = 0; at < names.length; at += 500)
      await store.invalidate(names.slice(at, at + 500), 1000, false).catch(() => refused++)
    expect(refused).toBeGreaterThan(10)
    isDown[0] = false
    await clock.advance(2000)
    await store.invalidate(names.slice(0, 500), 1000, false)
  })
})

test('of three servers none is up: calls reject, and all comes back', async () => {
  const { store, isDown, clock } = setup()
  isDown.fill(true)
  await expect(store.read(KEYS, [])).rejects.toThrow('no server of ring answers')
  await expect(store.invalidate(KEYS, 1000, false)).rejects.toThrow('no server')
  await expect(store.bump(KEYS, undefined)).rejects.toThrow('no server')
  await expect(store.fill('k', record, '')).rejects.toThrow('no server')
  await expect(store.lease('k', 'me', 1000)).rejects.toThrow('no server')
  isDown.fill(false)
  await clock.advance(2000)
  await fillAll(store)
  expect((await store.read(['k0'], [])).entries[0]!.mark).not.toBe('')
})

describe('real servers', () => {
  let servers: MemcachedServer[] = []
  afterEach(() => Promise.all(servers.map((server) => server.destroy())))

  test.each(['kill9', 'pause'] as const)('of three one is hurt (%s), and well again', async (hurt) => {
    servers = await startMemcacheds(3)
    const store = memcachedStore(servers.map(({ address }) => address).join(), { timeout: 1500 })
    try {
      await fillAll(store)
      expect(await found(store)).toEqual(KEYS)
      await (hurt === 'pause' ? freeze(servers[1]!) : servers[1]!.kill9())
      const left = await found(store)
      expect(left.length).toBeGreaterThan(10)
      expect(left.length).toBeLessThan(KEYS.length)
      const gone = KEYS.filter((key) => !left.includes(key))
      await store.invalidate([gone[0]!], 30_000, false)
      if (hurt === 'pause') servers[1]!.resume()
      else await servers[1]!.restart()
      // One that was frozen has what it had, except what was invalidated meanwhile; one that was killed has nothing.
      const back = async () => (await found(store)).filter((key) => gone.includes(key))
      if (hurt === 'kill9') await expect.poll(() => store.fill(gone[1]!, record, '')).toBe(true)
      await expect.poll(back).toEqual(hurt === 'pause' ? gone.slice(1) : [gone[1]])
    } finally {
      await store.close()
    }
  })
})
