/** How the writers and readers of the races act: shared by the tests of the matrix and of what can go wrong beside it. */
import type { Cache } from 'millpond'
import type { RaceWorld } from './world.ts'

export const KEY = 'row:1'
export const TAG = 'rows'
export const OLD = 1
export const NEW = 2

/** How a writer changes the row and tells the cache. */
export type Tell = (cache: Cache, world: RaceWorld) => Promise<unknown>

const afterwards =
  (tell: (cache: Cache) => Promise<unknown>): Tell =>
  async (cache, { database }) => {
    database.write(KEY)
    await tell(cache)
  }

export const writers: Record<string, Tell> = {
  delete: afterwards((cache) => cache.delete(KEY)),
  'set the new value': afterwards((cache) => cache.set(KEY, NEW, { tags: [TAG] })),
  deleteByTag: afterwards((cache) => cache.deleteByTag(TAG)),
  expire: afterwards((cache) => cache.expire(KEY)),
  expireByTag: afterwards((cache) => cache.expireByTag(TAG)),
  clear: afterwards((cache) => cache.clear()),
  update: afterwards((cache) => cache.update(KEY, () => NEW, { tags: [TAG] })),
  'mutate the key': (cache, { database }) => cache.mutate({ keys: [KEY] }, () => database.write(KEY)),
  'mutate the tag': (cache, { database }) => cache.mutate({ tags: [TAG] }, () => database.write(KEY)),
  'flush collected invalidations': afterwards(async (cache) => {
    const later = cache.invalidations()
    later.delete(KEY)
    await later.flush()
  }),
}

/** How readers read. `late`: the loader names the tag when it is done. */
export const readers = {
  'tags known early': (cache: Cache, { database }: RaceWorld) =>
    cache.getOrSet(KEY, database.load(KEY), { tags: [TAG] }),
  'tags named late': (cache: Cache, { database }: RaceWorld) => cache.getOrSet(KEY, database.load(KEY, [TAG])),
}
