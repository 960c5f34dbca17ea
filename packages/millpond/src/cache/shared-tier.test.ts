import { describe, expect, test } from 'vitest'
import { StoreError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { Store, StoreRecord } from '../core/store.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { Emitter } from './emitter.ts'
import { SharedTier } from './shared-tier.ts'
import { EVERYTHING, isHeld } from './versions.ts'

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

/** Puts a record whatever is there, as a set does. */
async function put(tier: SharedTier, key: string, record: StoreRecord = RECORD): Promise<void> {
  const [mark] = await tier.invalidate([key], true)
  await tier.fill(key, record, mark!, 0)
}

/** What stands in the store under the names that it is given. */
async function stored(store: Store, names: string[]): Promise<unknown[]> {
  return (await store.read(names, [])).entries.map(({ record }) => record?.value)
}

test('reads and versions of one tick go together, each name once', async () => {
  const { store, tier } = setup()
  const asked = ['a', 'b', 'a'].map((key) => tier.read(key))
  const versions = [tier.versions(['t', EVERYTHING]), tier.versions(['t'])]
  expect(await Promise.all(asked)).toMatchObject([{ mark: '' }, { mark: '' }, { mark: '' }])
  const [one, other] = await Promise.all(versions)
  expect(one!.get('t')).toBe(other!.get('t'))
  expect(store.calls).toEqual(['read 2 2'])
})

test('versions are remembered where a bus tells of changes, and asked for anew after one', async () => {
  const { store, tier } = setup()
  const before = await tier.versions(['t'])
  await tier.versions(['t'])
  expect(store.calls).toEqual(['read 0 1'])
  tier.forgetVersions(['other'])
  tier.forgetVersions([])
  await tier.versions(['t'])
  expect(store.calls).toHaveLength(1)
  await store.bump(['shop#t'], undefined)
  tier.forgetVersions(['t'])
  expect((await tier.versions(['t']))!.get('t')).not.toBe(before!.get('t'))
})

test('a version that the store has lost is noticed after a while, though no bus tells of it', async () => {
  const { clock, store, tier } = setup()
  const before = await tier.versions(['t'])
  await store.bump(['shop#t'], undefined) // as FLUSHALL or an eviction, after which another process has asked
  await clock.advance(29_999)
  expect((await tier.versions(['t']))!.get('t')).toBe(before!.get('t'))
  await clock.advance(1)
  const after = (await tier.versions(['t']))!.get('t')
  expect(after).not.toBe(before!.get('t'))
  const asked = store.calls.filter((call) => call.startsWith('read')).length
  await clock.advance(29_999)
  expect((await tier.versions(['t']))!.get('t')).toBe(after)
  expect(store.calls.filter((call) => call.startsWith('read'))).toHaveLength(asked)
})

test('without a bus they are asked for each time, and remembered for fills only', async () => {
  const { clock, store, tier } = setup({ hearsChanges: false })
  await tier.versions(['t'])
  await clock.advance(1)
  await tier.versions(['t'])
  expect(store.calls).toEqual(['read 0 1', 'read 0 1'])
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
  await put(tier, 'set')
  await put(tier, 'gone')
  const before = (await store.read([], ['shop#t'])).versions
  await clock.advance(30_001)
  await tier.read('set')
  state.isDown = true
  expect(await tier.invalidate(['gone'], false)).toEqual([undefined])
  await tier.bump(['t'], false)
  await tier.invalidate(['set'], true)
  await tier.invalidate(['set'], false)
  expect(await tier.read('gone')).toMatchObject({ mark: undefined })
  expect(await tier.versions(['t'])).toBeUndefined()
  expect(await tier.fill('a', RECORD, '', clock.monotonic())).toBeUndefined()
  state.isDown = false
  await clock.advance(100)
  expect(made).toEqual([
    { keys: ['gone', 'set'], tags: [] },
    { keys: [], tags: ['t'] },
  ])
  expect(await stored(store, ['shop:gone', 'shop:set'])).toEqual([undefined, undefined])
  expect((await store.read([], ['shop#t'])).versions).not.toEqual(before)
})

describe('invalidations that were acknowledged a moment before the store was in doubt', () => {
  test('are told again before anything is read, also when what failed is something else', async () => {
    const { clock, store, tier, made } = setup()
    await put(tier, 'a')
    const restore = store.copy()
    await clock.advance(100_000)
    const before = (await store.read([], ['shop#t'])).versions
    await tier.invalidate(['a'], false)
    await tier.bump(['t'], false)
    await clock.advance(9000)
    const answer = tier.read('a')
    restore()
    expect(await answer, 'a read under way').toMatchObject({ mark: undefined })
    expect(await tier.read('a'), 'a read before it is told').toMatchObject({ mark: undefined })
    await clock.advance(0)
    expect(made).toEqual([
      { keys: ['a'], tags: [] },
      { keys: [], tags: ['t'] },
    ])
    expect((await tier.read('a')).record).toBeUndefined()
    expect((await store.read([], ['shop#t'])).versions).not.toEqual(before)
  })

  test('older ones are not', async () => {
    const { clock, store, tier, made } = setup()
    await tier.invalidate(['a'], false)
    await clock.advance(30_001)
    store.copy()()
    await clock.advance(0)
    expect(made).toEqual([])
    expect((await tier.read('a')).mark).toBe('')
  })

  test('when they were many, everything is voided', async () => {
    const { clock, store, tier, made } = setup()
    for (let at = 0; at < 21; at++) await tier.invalidate(Array.from({ length: 500 }, (_, nr) => `${at} ${nr}`), false) // biome-ignore format: one line
    store.copy()()
    await clock.advance(0)
    expect(made.at(0)).toEqual({ keys: [], tags: [EVERYTHING] })
  })

  test('a doubt while they are told again begins anew', async () => {
    const { clock, store, tier, made } = setup({
      wrap: (memory) =>
        faultyStore(memory, ({ method, count }) => {
          if (method === 'invalidate' && count === 3) restore() // while the first is told again
        }),
    })
    const restore = store.copy()
    await tier.invalidate(['a'], false)
    restore()
    await clock.advance(0)
    expect(made).toEqual([{ keys: ['a'], tags: [] }])
    expect((await tier.read('a')).mark).not.toBe('')
    expect(store.calls.filter((call) => call === 'invalidate 16')).toHaveLength(2)
  })
})

test('a store that only reads is not back', async () => {
  let isFull = true
  const { clock, tier } = setup({
    wrap: (store) => faultyStore(store, ({ method }) => (isFull && method !== 'read' ? Promise.reject(new Error('OOM')) : undefined)), // biome-ignore format: one line
  })
  await tier.invalidate(['a'], false)
  await clock.advance(5000)
  expect(await tier.read('a')).toMatchObject({ mark: undefined })
  isFull = false
  await clock.advance(1000)
  expect((await tier.read('a')).mark).not.toBe('')
})

test('a record that the store does not take leaves the store in use', async () => {
  const refuse = (): never => {
    throw new StoreError('too large', { refused: true })
  }
  const { tier, clock } = setup({ wrap: (store) => faultyStore(store, ({ method }) => (method === 'fill' ? refuse() : undefined)) }) // biome-ignore format: one line
  expect(await tier.fill('a', RECORD, '', clock.monotonic())).toBeUndefined()
  expect(await tier.read('a')).toMatchObject({ mark: '' })
})

test('more names than a call may have go in several', async () => {
  const { store, tier } = setup()
  const names = Array.from({ length: 600 }, (_, at) => `${at}`)
  const [reads, versions] = [Promise.all(names.map((name) => tier.read(name))), tier.versions(['t'])]
  expect((await reads).every(({ mark }) => mark === '')).toBe(true)
  await versions
  expect(new Set(await tier.invalidate(names, false)).size).toBe(600)
  await tier.bump(names, false)
  expect(store.calls).toEqual(['read 512 0', 'read 88 1', 'invalidate 512', 'invalidate 88', 'bump 512', 'bump 88'])
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
  for (const key of inner) await put(tier, key, { ...RECORD, value: key })
  for (const key of inner) expect((await tier.read(key)).record?.value).toBe(key)
  expect(store.calls.filter((call) => call === 'fill')).toHaveLength(inner.length)
})

test.each([[{ entries: [], versions: [] } as never], [5 as never], [undefined as never]])(
  'a store that answers a read with %o has failed, and its reader does not',
  async (answer) => {
    const { tier } = setup({ wrap: (store) => Object.assign(store, { read: async () => answer }) })
    expect(await tier.read('a')).toMatchObject({ mark: undefined })
  },
)

test('an invalidation that the store refuses keeps everyone from reading it until it is told', async () => {
  let refusals = 1
  const refuse = (): void => {
    if (refusals-- > 0) throw new StoreError('not this one', { refused: true })
  }
  const { tier, clock } = setup({
    wrap: (store) => faultyStore(store, ({ method }) => (method === 'invalidate' ? refuse() : undefined)),
  })
  await tier.invalidate(['a'], false)
  expect(await tier.read('a')).toMatchObject({ mark: undefined })
  await clock.advance(0)
  expect((await tier.read('a')).mark).not.toBe('')
})
