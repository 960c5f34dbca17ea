/**
 * Seeded schedules of several processes, judged by a history checker. `MILLPOND_SEED=17` replays one schedule,
 * `MILLPOND_SCHEDULES=20000` plays that many.
 */
import type { Store, StoreRecord } from 'millpond'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Changes } from '../../packages/millpond/src/cache/changes.ts'
import { Lease } from '../../packages/millpond/src/cache/lease.ts'
import { SharedTier } from '../../packages/millpond/src/cache/shared-tier.ts'
import { TagRegistry } from '../../packages/millpond/src/cache/tags.ts'
import { Breaker } from '../../packages/millpond/src/core/breaker.ts'
import { InvalidationLog } from '../../packages/millpond/src/core/invalidation-log.ts'
import { type Mutation, simulate } from './simulation.ts'

const { MILLPOND_SEED: only, MILLPOND_SCHEDULES: count = '300' } = process.env
const GROUP = 50

describe('no read is older than promised, and at rest all tiers equal the database', () => {
  if (only !== undefined) test(`seed ${only}`, () => simulate(Number(only)))
  else {
    for (let first = 1; first <= Number(count); first += GROUP) {
      const last = Math.min(Number(count), first + GROUP - 1)
      test(`seeds ${first} to ${last}`, { timeout: 60_000 }, async () => {
        for (let seed = first; seed <= last; seed++) await simulate(seed)
      })
    }
  }
})

describe('the judge has teeth: it catches', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const wrap =
    (change: (store: Store) => Partial<Store>) =>
    (store: Store): Store =>
      new Proxy(store, {
        get(target, method: keyof Store) {
          const member = change(target)[method] ?? target[method]
          return typeof member === 'function' ? member.bind(target) : member
        },
      })

  const mutants: Record<string, () => Mutation> = {
    'fills that do not look at the mark': () => ({
      store: wrap((store) => ({
        async fill(key: string, record: StoreRecord) {
          const [mark] = await store.invalidate([key], 1000, false)
          return await store.fill(key, record, mark!)
        },
      })),
    }),
    'deletes that leave no tombstone': () => ({
      store: wrap((store) => ({ invalidate: (keys) => store.invalidate(keys, 0, false) })),
    }),
    'fills of what is absent, whatever was there in between (SET NX without a fence)': () => ({
      store: wrap((store) => ({
        invalidate: (keys) => store.invalidate(keys, 0, false),
        async fill(key: string, record: StoreRecord) {
          return await store.fill(key, record, '')
        },
      })),
    }),
    'a delete that the store missed, and is never told': () => {
      vi.spyOn(InvalidationLog.prototype, 'drain').mockResolvedValue()
      vi.spyOn(InvalidationLog.prototype, 'isEmpty', 'get').mockReturnValue(true)
      return {}
    },
    'deletes of the last moments, lost by the store and not told again': () => {
      vi.spyOn(InvalidationLog.prototype, 'moveTo').mockImplementation(() => {})
      return {}
    },
    'updates of the last moments, lost by the store and not told again': () => {
      vi.spyOn(SharedTier.prototype, 'replaced').mockImplementation(() => {})
      return {}
    },
    'answers that are believed although the store is in doubt': () => {
      vi.spyOn(Breaker.prototype, 'doubt').mockImplementation(() => {})
      return {}
    },
    'tags whose version the store does not change': () => ({
      store: wrap(() => ({ bump: async () => {} })),
    }),
    'a lease that always holds': () => {
      vi.spyOn(Lease.prototype, 'holds', 'get').mockReturnValue(true)
      return {}
    },
    'a lease that is not asked when a value is kept': () => {
      vi.spyOn(Lease.prototype, 'mayStore', 'get').mockReturnValue(true)
      return {}
    },
    'readers that join what they came too late for': () => {
      vi.spyOn(Lease.prototype, 'mayPredate').mockReturnValue(false)
      return {}
    },
    'invalidations that leave loads alone': () => {
      vi.spyOn(TagRegistry.prototype, 'invalidateHeld').mockImplementation(() => {})
      return {}
    },
    'tags that are not invalidated here': () => {
      vi.spyOn(TagRegistry.prototype, 'invalidate').mockImplementation(() => {})
      return {}
    },
    'a bus message that is not applied': () => {
      vi.spyOn(Changes.prototype, 'message').mockImplementation(() => {})
      return {}
    },
    'a gap that is not told': () => ({
      bus: (end) => {
        end.hidesGaps = true
      },
    }),
    'a gap that is not heeded': () => {
      vi.spyOn(Changes.prototype, 'gap').mockImplementation(() => {})
      return {}
    },
    'versions of tags that are never forgotten': () => {
      vi.spyOn(SharedTier.prototype, 'forgetVersions').mockImplementation(() => {})
      return {}
    },
    'a peer that is not told again of what was made up for': () => {
      vi.spyOn(Changes.prototype, 'publishDelete').mockImplementation(() => {})
      return {}
    },
  }

  /** Where the search begins for those that few schedules catch, to save time. */
  const firstSeeds: Record<string, number> = {
    'readers that join what they came too late for': 1054,
    'a gap that is not told': 1192,
    'a gap that is not heeded': 1192,
  }

  test.each(Object.entries(mutants))('%s', { timeout: 60_000 }, async (name, make) => {
    const mutation = make()
    let caught: unknown
    const first = firstSeeds[name] ?? 1
    for (let seed = first; seed < first + 500 && caught === undefined; seed++) {
      caught = await simulate(seed, mutation).then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    expect((caught as Error | undefined)?.message).toMatch(/stale|at rest/)
  })
})
