/**
 * The stale-fill matrix: a load has read the old row, a writer changes the row and tells the cache, the load ends. A read
 * that begins after the writer has finished never gives the old row; nor does an instance that sees only the store.
 */
import type { Cache, CacheOptions } from 'millpond'
import { createNearCache, type NearCache } from 'millpond/core'
import { describe, expect, test } from 'vitest'
import { KEY, NEW, OLD, readers, TAG, writers } from './race-parts.ts'
import { World } from './world.ts'

/** The tiers of the reading and the writing process. */
const tiers: Record<string, (world: World) => { reader: Cache; writer: Cache; newcomer?: () => Cache }> = {
  'near tier only': (world) => {
    const cache = world.cache()
    return { reader: cache, writer: cache }
  },
  'near tier and store': (world) => {
    const cache = world.cache({ store: world.store })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'store without near tier': (world) => {
    const cache = world.cache({ store: world.store, memory: false })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'near tier, store and bus': (world) => {
    const cache = world.cache({ store: world.store, bus: world.hub.connect() })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'two instances with store and bus': (world) => {
    const make = (): Cache => world.cache({ store: world.store, bus: world.hub.connect() })
    return { reader: make(), writer: make(), newcomer: make }
  },
  'two instances that load once for both': (world) => {
    const make = (): Cache => world.cache({ store: world.store, bus: world.hub.connect(), lock: 'store' })
    return { reader: make(), writer: make(), newcomer: make }
  },
  'two instances with a bus and no store': (world) => ({
    reader: world.cache({ bus: world.hub.connect() }),
    writer: world.cache({ bus: world.hub.connect() }),
  }),
}

/** The labels of the research matrix for each way to tell and each arrangement. */
function label(tell: string, tier: string): string {
  if (tier.startsWith('two')) return 'S6'
  const single = /tag/i.test(tell) ? 'S4' : /set|update/.test(tell) ? 'S3' : 'S1'
  return tier === 'near tier only' ? single : `S5 (${single})`
}

describe.each(Object.keys(tiers))('%s', (tier) => {
  describe.each(Object.keys(readers) as (keyof typeof readers)[])('%s', (reader) => {
    const read = readers[reader]

    test.each(Object.keys(writers))(
      `${tier.startsWith('two') ? 'S6' : 'S1 S3 S4 S5'}: %s while a load is under way`,
      async (name) => {
        // biome-ignore format: one line
        const world = new World()
        const caches = tiers[tier]!(world)
        const held = world.database.holdNext()
        const early = read(caches.reader, world)
        await world.settle()
        await writers[name]!(caches.writer, world)
        await world.settle()
        held.open()
        expect(await early, 'the caller of the load gets what it loaded').toBe(OLD)
        await world.settle()
        expect(await read(caches.reader, world), label(name, tier)).toBe(NEW)
        expect(await read(caches.writer, world), label(name, tier)).toBe(NEW)
        if (caches.newcomer) expect(await read(caches.newcomer(), world), `${label(name, tier)} L2`).toBe(NEW)
      },
    )

    test.each(Object.keys(writers))('S2: a reader that comes after %s does not join the old load', async (name) => {
      const world = new World()
      const caches = tiers[tier]!(world)
      const held = world.database.holdNext()
      const early = read(caches.reader, world)
      await world.settle()
      await writers[name]!(caches.writer, world)
      await world.settle()
      const after = read(caches.reader, world)
      await world.settle()
      held.open()
      expect(await after).toBe(NEW)
      expect(await early).toBe(OLD)
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
    })

    test.each(Object.keys(writers))('S8: a background renewal races %s', async (name) => {
      const world = new World()
      const options: CacheOptions = { ttl: 100, staleWhileRevalidate: 10_000 }
      const withRenewal = { cache: (more: CacheOptions) => World.prototype.cache.call(world, { ...options, ...more }) }
      const caches = tiers[tier]!(Object.assign(Object.create(world) as World, withRenewal))
      for (let again = 0; again < 3; again++) {
        await read(caches.reader, world) // the first load learns the version of a tag that is named late
        await world.clock.advance(1)
      }
      await world.clock.advance(150)
      const { loads } = world.database
      const held = world.database.holdNext()
      expect(await read(caches.reader, world), 'the stale value is served').toBe(OLD)
      await world.settle()
      expect(world.database.loads).toBe(loads + 1)
      await writers[name]!(caches.writer, world)
      await world.settle()
      held.open()
      await world.settle()
      if (name.startsWith('expire')) await read(caches.reader, world) // may be served the stale value once more
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
      if (caches.newcomer) expect(await read(caches.newcomer(), world), 'S8 L2').toBe(NEW)
    })

    test.each(Object.keys(writers))('coherence: %s with nothing under way', async (name) => {
      const world = new World()
      const caches = tiers[tier]!(world)
      for (let again = 0; again < 3; again++) {
        expect(await read(caches.reader, world)).toBe(OLD)
        expect(await read(caches.writer, world)).toBe(OLD)
        await world.clock.advance(1)
      }
      await writers[name]!(caches.writer, world)
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
      expect(await read(caches.writer, world)).toBe(NEW)
      if (caches.newcomer) expect(await read(caches.newcomer(), world), 'from the store').toBe(NEW)
    })
  })
})

describe('the small cache of millpond/core', () => {
  const small: Record<string, (cache: NearCache, world: World) => Promise<unknown>> = {
    delete: (cache) => cache.delete(KEY),
    'set the new value': (cache) => cache.set(KEY, NEW),
    deleteByTag: (cache) => cache.deleteByTag(TAG),
    expire: (cache) => cache.expire(KEY),
    clear: (cache) => cache.clear(),
    'mutate the key': (cache) => cache.mutate({ keys: [KEY] }, () => {}),
  }
  test.each(Object.keys(small))(
    'S1 S2 S3 S4 S6: %s while a load is under way, here and in another process',
    async (name) => {
      // biome-ignore format: one line
      for (const lateTags of [[], [TAG]]) {
      const world = new World()
      const { clock, database, hub } = world
      const [reader, writer] = [0, 1].map(() => createNearCache({ name: 'shop', clock, bus: hub.connect() }))
      for (const teller of [reader!, writer!]) {
        const before = database.version(KEY)
        const read = () => reader!.getOrSet(KEY, database.load(KEY, lateTags), { tags: lateTags.length > 0 ? [] : [TAG] })
        await reader!.clear()
        const held = database.holdNext()
        const early = read()
        await world.settle()
        database.write(KEY)
        await small[name]!(teller, world)
        await world.settle()
        const after = read()
        await world.settle()
        held.open()
        expect(await early).toBe(before)
        const fresh = name === 'set the new value' ? [NEW, before + 1] : [before + 1]
        expect(fresh).toContain(await after)
        expect(fresh).toContain(await read())
      }
    }
    },
  )
})
