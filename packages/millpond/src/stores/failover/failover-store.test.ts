import { describe, expect, test } from 'vitest'
import { OptionError, StoreError } from '../../core/errors.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import { MemoryStore } from '../../testing/memory-store.ts'
import { type FailoverStore, failoverStore, type ProviderChange } from './index.ts'

type Fault = 'none' | 'reject' | 'hang'

/** A provider of which a test decides how it behaves. */
class Provider {
  fault: Fault = 'none'
  readonly memory: MemoryStore
  readonly store: Store
  constructor(name: string, clock: ManualClock) {
    this.memory = new MemoryStore(clock)
    const faulty = faultyStore(this.memory, () => {
      if (this.fault === 'reject') throw new Error('refused')
      if (this.fault === 'hang') return new Promise<void>(() => {})
      return undefined
    })
    this.store = new Proxy(faulty, {
      get: (target, member) => (member === 'name' ? name : Reflect.get(target, member)),
    })
  }
}

const HOUR_MS = 3_600_000
const FENCE_MS = 30_000

function recordOf(value: string, tags: StoreRecord['tags'] = []): StoreRecord {
  return { value, freshMs: HOUR_MS, keepMs: HOUR_MS, tags }
}

function setup(count = 2) {
  const clock = manualClock()
  const providers = Array.from({ length: count }, (_, at) => new Provider('abc'[at]!, clock))
  const changes: ProviderChange[] = []
  const open = () =>
    failoverStore(
      providers.map(({ store }) => store),
      { clock, onState: (change) => changes.push(change) },
    )
  return { clock, providers, changes, open, store: open() }
}

/** Puts a record as the cache does: with the versions that were read before. */
async function put(store: Store, key: string, value: string, tags: readonly string[] = ['shop#']): Promise<boolean> {
  const { versions } = await store.read([key], tags)
  const [mark] = await store.invalidate([key], FENCE_MS, false)
  return await store.fill(
    key,
    recordOf(
      value,
      tags.map((tag, at) => [tag, versions[at]!]),
    ),
    mark!,
  )
}

/** What the cache takes for valid: a record whose tags all have the versions that it names. */
async function validIn(store: Store, key: string, tags: readonly string[] = ['shop#']): Promise<string | undefined> {
  const { entries, versions } = await store.read([key], tags)
  const { record } = entries[0]!
  const isValid = record?.tags.every(([tag, version]) => versions[tags.indexOf(tag)] === version)
  return isValid ? record?.value : undefined
}

/** Resolves what a call gives while the clock is driven on. */
async function within<T>(clock: ManualClock, ms: number, call: Promise<T>): Promise<T> {
  let settled = false
  const done = call.finally(() => {
    settled = true
  })
  done.catch(() => undefined)
  for (let at = 0; at <= ms && !settled; at++) await clock.advance(at === 0 ? 0 : 1)
  expect(settled, `settled within ${ms} ms`).toBe(true)
  return await done
}

describe('which provider serves', () => {
  test('the first that is up; the others have nothing to read', async () => {
    const { store, providers } = setup()
    await put(store, 'k', 'one')
    expect(await validIn(store, 'k')).toBe('one')
    expect(providers[1]!.memory.calls).toEqual(['read 0 1', 'invalidate 1']) // the first is the greeting of its connection
    expect(store.status().map(({ state, serves }) => [state, serves])).toEqual([['up', true], ['up', false]]) // biome-ignore format: one line
  })

  test.each<[number, Fault[]]>([
    [2, ['hang', 'none']],
    [2, ['reject', 'none']],
    [3, ['hang', 'hang', 'none']],
    [3, ['hang', 'reject', 'none']],
  ])('of %d that behave as %j, the last answers the very call, within 50 ms', async (count, faults) => {
    const { store, providers, clock } = setup(count)
    for (const [at, fault] of faults.entries()) providers[at]!.fault = fault
    const answer = await within(clock, 49, store.read(['k'], ['shop#']))
    expect(answer.entries).toEqual([{ mark: '' }])
    expect(store.status().map(({ state }) => state)).toEqual(faults.map((fault) => (fault === 'none' ? 'up' : 'down')))
  })

  test('a provider that failed is not asked again before it was probed', async () => {
    const { store, providers, clock } = setup()
    providers[0]!.fault = 'hang'
    await within(clock, 49, store.read(['k'], []))
    expect((await within(clock, 0, store.read(['k'], []))).entries).toEqual([{ mark: '' }])
  })

  test('when none is left, calls reject at once, and all comes back', async () => {
    const { store, providers, clock } = setup(3)
    for (const provider of providers) provider.fault = 'reject'
    const calls: (() => Promise<unknown>)[] = [
      () => store.read(['k'], []),
      () => store.fill('k', recordOf('x'), ''),
      () => store.invalidate(['k'], FENCE_MS, false),
      () => store.bump(['t'], undefined),
      () => store.lease('k', 'me', 100),
    ]
    for (const call of calls)
      await expect(within(clock, 0, call())).rejects.toThrow(/no provider answered \w+: a: .*b: .*c: /)
    for (const provider of providers) provider.fault = 'none'
    await clock.advance(2000)
    expect(await put(store, 'k', 'back')).toBe(true)
    expect(store.status().every(({ state, missed }) => state === 'up' && missed === 0)).toBe(true)
  })

  test('three fail one after another, and the first comes back', async () => {
    const { store, providers, clock, changes } = setup(3)
    for (const [at, provider] of providers.entries()) {
      provider.fault = 'hang'
      if (at < 2) expect(await within(clock, 49, put(store, 'k', `${at}`))).toBe(true)
    }
    await expect(within(clock, 49, store.read(['k'], []))).rejects.toThrow(StoreError)
    providers[0]!.fault = 'none'
    await clock.advance(2000)
    expect(await put(store, 'k', 'back')).toBe(true)
    expect(await validIn(store, 'k')).toBe('back')
    expect(changes.map(({ provider, state }) => `${provider} ${state}`)).toEqual(['a down', 'b down', 'c down', 'a up'])
    expect(changes[0]!.error?.message).toContain('within 15 ms')
  })

  test('a store that leaves names out has failed', async () => {
    const { store, providers } = setup()
    providers[0]!.memory.read = async () => ({ entries: [], versions: [] })
    expect((await store.read(['k'], ['t'])).entries).toEqual([{ mark: '' }])
    expect(store.status()[0]!.state).toBe('down')
  })

  test('a record that is refused takes nobody down', async () => {
    const { store, providers } = setup()
    const refused = new StoreError('too large', { refused: true })
    providers[0]!.memory.fill = () => Promise.reject(refused)
    await expect(store.fill('k', recordOf('x'), '')).rejects.toBe(refused)
    expect(store.status()[0]!.state).toBe('up')
  })
})

describe('a provider that comes back', () => {
  async function away(names: (store: FailoverStore) => Promise<unknown>, fault: Fault = 'reject') {
    const all = setup()
    const { store, providers, clock } = all
    for (const key of ['k', 'other', 'tagged'])
      await put(store, key, 'old', key === 'tagged' ? ['shop#', 't'] : ['shop#'])
    await clock.advance(31_000) // what is told a moment before a failure is told again
    providers[0]!.fault = fault
    await within(clock, 49, names(store))
    expect(store.status()[0]!.state).toBe('down')
    providers[0]!.fault = 'none'
    return all
  }

  test('is told what it missed before it is read', async () => {
    const { store, clock, providers } = await away(async (store) => {
      await store.invalidate(['k'], FENCE_MS, false)
      await store.bump(['t'], undefined)
    })
    await clock.advance(2000)
    expect(store.status()[0]).toMatchObject({ state: 'up', missed: 0 })
    providers[1]!.fault = 'reject' // so it is the first that answers
    expect(await validIn(store, 'k')).toBeUndefined()
    expect(await validIn(store, 'tagged', ['shop#', 't'])).toBeUndefined()
    expect(await validIn(store, 'other')).toBe('old')
  })

  test('of two invalidations of one key the last counts', async () => {
    const { store, clock } = await away(async (store) => {
      await store.invalidate(['k'], FENCE_MS, true)
      await store.invalidate(['k'], FENCE_MS, false)
      await store.invalidate(['other'], FENCE_MS, false)
      await store.invalidate(['other'], FENCE_MS, true)
    })
    await clock.advance(2000)
    const { entries } = await store.read(['k', 'other'], [])
    expect(entries.map(({ held }) => held)).toEqual([false, true])
  })

  test('is told what was invalidated while it was being told', async () => {
    const { store, clock, providers } = await away((store) => store.invalidate(['k'], FENCE_MS, false))
    let isTold = false
    const { invalidate } = providers[0]!.memory
    providers[0]!.memory.invalidate = async (keys, fenceMs, held) => {
      if (keys.includes('k') && !isTold) {
        isTold = true
        await store.invalidate(['other'], FENCE_MS, false)
      }
      return await invalidate.call(providers[0]!.memory, keys, fenceMs, held)
    }
    await clock.advance(2000)
    expect([isTold, await validIn(store, 'other')]).toEqual([true, undefined])
  })

  test('is void as a whole when it missed more than is remembered', async () => {
    const { store, clock } = await away(async (store) => {
      for (let at = 0; at < 10_001; at += 500) await store.invalidate(Array.from({ length: 500 }, (_, to) => `n${at + to}`), FENCE_MS, false) // biome-ignore format: one line
    })
    expect(store.status()[0]!.missed).toBeLessThan(10_001)
    await clock.advance(2000)
    expect(store.status()[0]).toMatchObject({ state: 'up', serves: true, missed: 0 })
    expect(await validIn(store, 'other')).toBeUndefined()
    expect(await put(store, 'other', 'new')).toBe(true)
    expect(await validIn(store, 'other')).toBe('new')
  })

  test('voided by one process, is void for another, also by the versions that it remembers', async () => {
    const { clock, providers, open } = setup()
    const [one, two] = [open(), open()]
    await put(two, 'k', 'old')
    const { versions } = await two.read(['k'], ['shop#'])
    await providers[0]!.memory.bump(['?generation'], undefined)
    let doubts = 0
    two.watch!(() => doubts++)
    const { entries } = await two.read(['k'], [])
    expect(entries[0]!.record).toBeUndefined()
    expect((await two.read(['k'], ['shop#'])).versions).not.toEqual(versions)
    await clock.advance(0)
    expect(doubts).toBe(1)
    expect(await validIn(one, 'k')).toBeUndefined()
  })

  test('is not read before all others have told it what they had to, if another can serve until then', async () => {
    const { providers, clock, open } = setup()
    const [one, two] = [open(), open()]
    await put(one, 'k', 'old')
    await clock.advance(31_000)
    providers[0]!.fault = 'reject'
    await two.read(['k'], [])
    await clock.advance(1510) // it was probed at 100, 300, 700 and 1500 ms, and will be at 2500
    await one.read(['k'], [])
    await two.invalidate(['k'], FENCE_MS, false)
    providers[0]!.fault = 'none' // the first process finds that out 100 ms later
    for (let ms = 0; ms < 3000; ms += 10) {
      await clock.advance(10)
      expect(await validIn(one, 'k'), `${ms} ms after it came back`).toBeUndefined()
    }
    expect(one.status()[0]).toMatchObject({ serves: true, missed: 0 })
  })

  test('serves at once where nobody else can', async () => {
    const { store, providers, clock } = setup()
    for (const provider of providers) provider.fault = 'reject'
    await store.read(['k'], []).catch(() => undefined)
    providers[0]!.fault = 'none'
    await clock.advance(110)
    expect((await store.read(['k'], [])).entries).toEqual([{ mark: '' }])
  })

  test('is not used while it takes reads only', async () => {
    const { store, clock, providers } = await away((store) => store.read(['k'], []))
    providers[0]!.memory.invalidate = () => Promise.reject(new Error('READONLY'))
    await clock.advance(5000)
    expect(store.status()[0]!.state).toBe('down')
    expect(store.status()[1]!.serves).toBe(true)
  })

  test('is told again what it acknowledged just before it lost its memory', async () => {
    const { store, clock, providers } = setup()
    await put(store, 'k', 'old')
    const restore = providers[0]!.memory.copy()
    await store.invalidate(['k'], FENCE_MS, false)
    restore()
    expect(store.status()[0]!.state).toBe('down')
    await clock.advance(2000)
    expect(store.status()[0]!.state).toBe('up')
    expect(await validIn(store, 'k')).toBeUndefined()
  })

  test('a fill that was not answered is void, although it arrived', async () => {
    const { store, clock, providers } = setup()
    const { fill } = providers[0]!.memory
    providers[0]!.memory.fill = async (...args) => {
      await fill.apply(providers[0]!.memory, args)
      return await new Promise<boolean>(() => {})
    }
    const { entries } = await store.read(['k'], [])
    expect(await within(clock, 49, store.fill('k', recordOf('late'), entries[0]!.mark))).toBe(false)
    await clock.advance(2000)
    expect(store.status()[0]!.state).toBe('up')
    expect((await store.read(['k'], [])).entries[0]!.record).toBeUndefined()
  })
})

describe('providers do not mix', () => {
  test('what was read from one is not filled into another', async () => {
    const { store, providers, clock } = setup()
    await put(store, 'k', 'old')
    const { entries } = await store.read(['k'], ['shop#'])
    providers[0]!.fault = 'hang'
    await within(clock, 49, store.read(['x'], []))
    expect(await store.fill('k', recordOf('new'), entries[0]!.mark)).toBe(false)
  })

  test('a record with the versions of one is valid in no other', async () => {
    const { store, providers, clock } = setup()
    const { versions } = await store.read(['k'], ['shop#'])
    providers[0]!.fault = 'hang'
    await within(clock, 49, store.read(['x'], []))
    expect(await store.fill('k', recordOf('loaded before', [['shop#', versions[0]!]]), '')).toBe(true)
    expect(await validIn(store, 'k')).toBeUndefined()
  })

  test('who watches is told of a switch after the answer that it came with', async () => {
    const { store, providers, clock } = setup()
    const told: string[] = []
    store.watch!(() => told.push('doubt'))
    providers[0]!.fault = 'hang'
    await within(
      clock,
      49,
      store.read(['k'], []).then(() => told.push('answer')),
    )
    await clock.advance(1)
    expect(told).toEqual(['answer', 'doubt'])
  })

  test('one that keeps no version is not used', async () => {
    const { store, providers } = setup()
    const { read } = providers[0]!.memory
    let count = 0
    providers[0]!.memory.read = async (keys, tags) => {
      const answer = await read.call(providers[0]!.memory, keys, tags)
      return { ...answer, versions: tags.map(() => `v${count++}`) }
    }
    await store.read(['k'], ['shop#'])
    await store.read(['k'], ['shop#'])
    expect(store.status()[0]).toMatchObject({ state: 'down' })
    expect(store.status()[0]!.error?.message).toContain('does not keep')
  })
})

describe('options', () => {
  test.each([[[]], [undefined], [[{}]], ['redis://']])('%j are no providers', (providers) => {
    expect(() => failoverStore(providers as never)).toThrow(OptionError)
  })
  test('a store twice', () => {
    const memory = new MemoryStore(manualClock())
    expect(() => failoverStore([memory, memory])).toThrow('once')
  })
  test('no time to answer', () => {
    expect(() => failoverStore([new MemoryStore(manualClock())], { timeout: 0 })).toThrow(OptionError)
  })
})
