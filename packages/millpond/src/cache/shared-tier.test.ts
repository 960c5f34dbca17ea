import { expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { Store, StoreRecord } from '../core/store.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { Emitter } from './emitter.ts'
import { EVERYTHING, isHeld, SharedTier } from './shared-tier.ts'

const RECORD: StoreRecord = { value: '1', freshMs: 1000, keepMs: 1000, tags: [] }

function setup({ hearsChanges = true, wrap = (store: Store): Store => store } = {}) {
  const clock = manualClock()
  const store = new MemoryStore(clock)
  const state = { isDown: false }
  const made: unknown[] = []
  const fault = (): void => {
    if (state.isDown) throw new Error('down')
  }
  const tier = new SharedTier({
    store: faultyStore(wrap(store), fault),
    name: 'shop',
    clock,
    timeoutMs: 50,
    fenceMs: 1000,
    hearsChanges,
    emitter: new Emitter('shop', silentLogger),
    onError: () => {},
    onMadeUp: (targets) => made.push(targets),
  })
  return { clock, store, state, tier, made }
}

test('reads and versions of one tick go together, each name once', async () => {
  const { store, tier } = setup()
  const asked = ['a', 'b', 'a'].map((key) => tier.read(key))
  const versions = [tier.versions(['t', EVERYTHING]), tier.versions(['t'])]
  expect(await Promise.all(asked)).toEqual([{ mark: '' }, { mark: '' }, { mark: '' }])
  const [one, other] = await Promise.all(versions)
  expect(one!.get('t')).toBe(other!.get('t'))
  expect(store.calls).toEqual(['getMany 2', 'versions 2'])
})

test('versions are remembered where a bus tells of changes, and asked for anew after one', async () => {
  const { store, tier } = setup()
  const before = await tier.versions(['t'])
  await tier.versions(['t'])
  expect(store.calls).toEqual(['versions 1'])
  tier.forgetVersions(['other'])
  tier.forgetVersions([])
  await tier.versions(['t'])
  expect(store.calls).toHaveLength(1)
  await store.bump(['shop#t'], undefined)
  tier.forgetVersions(['t'])
  expect((await tier.versions(['t']))!.get('t')).not.toBe(before!.get('t'))
})

test('without a bus they are asked for each time, and remembered for fills only', async () => {
  const { clock, store, tier } = setup({ hearsChanges: false })
  await tier.versions(['t'])
  await clock.advance(1)
  await tier.versions(['t'])
  expect(store.calls).toEqual(['versions 1', 'versions 1'])
  expect(tier.knownVersions(['t'], 1).size, 'known since the first time, not the last').toBe(1)
  expect(tier.knownVersions(['t'], 0).size, 'and not before').toBe(0)
})

test('a held version is told and not remembered', async () => {
  const { tier } = setup()
  await tier.bump(['t'], true)
  expect(isHeld((await tier.versions(['t']))!.get('t')!)).toBe(true)
  await tier.bump(['t'], false)
  expect(isHeld((await tier.versions(['t']))!.get('t')!)).toBe(false)
})

test('a fill is not sent when the fence that should refuse it may be over', async () => {
  const { clock, tier } = setup()
  const readAtMs = clock.monotonic()
  await clock.advance(499)
  expect(await tier.fill('a', RECORD, '', readAtMs)).toBe(true)
  await clock.advance(1)
  expect(await tier.fill('b', RECORD, '', readAtMs)).toBe(false)
})

test('nothing rejects while the store is down, and what it missed is told when it is back', async () => {
  const { clock, store, state, tier, made } = setup()
  await tier.set('set', RECORD)
  await tier.set('gone', RECORD)
  const [before] = await store.versions(['shop#t'])
  state.isDown = true
  expect(await tier.invalidate(['gone'], false)).toEqual([undefined])
  await tier.bump(['t'], false)
  await tier.set('set', RECORD)
  expect(await tier.read('gone')).toEqual({ mark: undefined })
  expect(await tier.versions(['t'])).toBeUndefined()
  expect(await tier.fill('a', RECORD, '', 0)).toBe(false)
  state.isDown = false
  await clock.advance(100)
  expect(made).toEqual([{ keys: ['gone', 'set'], tags: ['t'] }])
  expect((await store.getMany(['shop:gone', 'shop:set'])).map((read) => read.record)).toEqual([undefined, undefined])
  expect(await store.versions(['shop#t'])).not.toEqual([before])
})

test('too much that was missed becomes one: everything', async () => {
  const { clock, state, tier, made } = setup()
  state.isDown = true
  await tier.invalidate(
    Array.from({ length: 10_001 }, (_, at) => `key ${at}`),
    false,
  )
  state.isDown = false
  await clock.advance(100)
  expect(made).toEqual([{ keys: [], tags: [EVERYTHING] }])
})

test('no two keys of a cache and its namespaces have one stored name', async () => {
  const { store, tier } = setup()
  const inner = ['a', 'users:a', '/users:a', '\0users:a', '\0users/b:a', '\0:\0users:a', '\0:\0', '#', '']
  for (const key of inner) await tier.set(key, { ...RECORD, value: key })
  for (const key of inner) expect((await tier.read(key)).record?.value).toBe(key)
  expect(store.calls.filter((call) => call === 'set')).toHaveLength(inner.length)
})

test.each([[[]], [5 as never]])(
  'a store that answers a read with %o has failed, and its reader does not',
  async (answer) => {
    const { tier } = setup({ wrap: (store) => Object.assign(store, { getMany: async () => answer }) })
    expect(await tier.read('a')).toEqual({ mark: undefined })
  },
)
