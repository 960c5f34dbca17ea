/** The stale-fill matrix over a store in memory, and for the small cache. */
import { createNearCache, type NearCache } from 'millpond/core'
import { describe, expect, test } from 'vitest'
import { raceMatrix, tiers } from './race-matrix.ts'
import { KEY, NEW, TAG } from './race-parts.ts'
import { World } from './world.ts'

raceMatrix((options) => new World(options), Object.keys(tiers) as (keyof typeof tiers)[])

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
