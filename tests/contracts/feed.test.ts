/** What a change feed does to a cache: commits, visibility, bounds, epochs, positions. */
import type { CacheOptions, EntryOptions, Position } from 'millpond'
import { MemoryFeed } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { counting, World } from './world.ts'

describe('feed', () => {
  function setup(options: CacheOptions = {}) {
    const world = new World()
    const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
    const cache = world.cache({ feed, ttl: '1h', ...options })
    const { database } = world
    const read = (more: EntryOptions<number> & { atLeast?: Position } = {}) =>
      cache.getOrSet('trade', database.load('trade'), { tags: ['trades:1'], ...more })
    return { world, feed, cache, database, read }
  }

  test('a commit by anyone voids what carries its tag', async () => {
    const { feed, database, read } = setup()
    await read()
    database.write('trade')
    feed.commit('trades', 'trades:1')
    feed.settle()
    expect(await read()).toBe(2)
    feed.commit('trades', 'trades:2')
    feed.settle()
    await read()
    expect(database.loads, 'another row').toBe(2)
  })

  test('between announcement and visibility nothing is kept', async () => {
    const { world, feed, database, read } = setup()
    await read()
    feed.commit('trades', 'trades:1') // announced, not visible yet
    const early = read()
    await world.clock.advance(5)
    expect(await early).toBe(1)
    database.write('trade') // visible
    feed.settle()
    expect(await read()).toBe(2)
    const { loads } = database
    await read()
    expect(database.loads).toBe(loads)
  })

  test('a load waits a moment for visibility, and is kept then', async () => {
    const { world, feed, database, read } = setup()
    feed.commit('trades', 'trades:1')
    const reading = read()
    await world.clock.advance(2)
    database.write('trade')
    feed.settle()
    expect(await reading).toBe(2)
    await read()
    expect(database.loads).toBe(1)
  })

  test('late tags: a commit that is announced, or settled, during the load voids it', async () => {
    for (const settleLater of [false, true]) {
      const { world, feed, cache, database } = setup()
      const held = database.holdNext()
      const early = cache.getOrSet('trade', database.load('trade', ['trades:1']))
      await world.settle()
      feed.commit('trades', 'trades:1')
      database.write('trade')
      if (!settleLater) feed.settle()
      held.open()
      expect(await early).toBe(1)
      feed.settle()
      expect(await cache.getOrSet('trade', database.load('trade', ['trades:1']))).toBe(2)
    }
  })

  test('a bulk tag voids every row of the table, and no other', async () => {
    const { feed, cache, database, read } = setup()
    await read()
    await cache.set('plain', 1, { tags: ['users:1'] })
    database.write('trade')
    feed.commit('trades:*')
    feed.settle()
    expect(await read()).toBe(2)
    expect(await cache.get('plain')).toBe(1)
  })

  test('bounded: a feed that stalls is believed for maxStaleness, then its entries are bypassed', async () => {
    const { world, feed, cache, database, read } = setup()
    await read()
    feed.stall()
    await world.clock.advance(250)
    await read()
    expect(database.loads).toBe(1)
    await world.clock.advance(1)
    database.write('trade')
    expect(await read()).toBe(2)
    expect(cache.stats().bypasses).toBeGreaterThan(0)
    await world.clock.advance(251)
    database.write('trade')
    expect(await read(), 'each load is believed as long as its own age allows').toBe(3)
    feed.resume()
    await world.clock.advance(10_000)
    await read()
    expect(database.loads).toBe(3)
  })

  test('fromReplica: what a replica says is as fresh as the feed proves, however late it was loaded', async () => {
    const { world, feed, cache, database } = setup()
    const load = database.load('trade')
    const read = () =>
      cache.getOrSet<number>('trade', async (ctx) => ctx.fromReplica(await load(ctx)), { tags: ['trades:1'] })
    feed.stall()
    await world.clock.advance(200)
    await read() // the replica lacks what was committed in these 200 ms
    await world.clock.advance(50)
    await read()
    expect(database.loads).toBe(1)
    await world.clock.advance(1)
    database.write('trade')
    expect(await read()).toBe(2)
    expect(await read(), 'nothing is proven').toBe(2)
    expect(database.loads).toBe(3)
    feed.resume()
    await read()
    expect(database.loads, 'proven again').toBe(3)
    expect((await cache.getEntry('trade'))?.ageMs).toBe(251)
  })

  test('broken: nothing of its source counts until it is whole, then it is cached again', async () => {
    const { world, feed, cache, database, read } = setup()
    const resets: string[] = []
    cache.on('feedReset', ({ reason }) => resets.push(reason))
    await read()
    await cache.set('plain', 1)
    feed.break('connection lost')
    expect(resets).toEqual(['connection lost'])
    database.write('trade')
    expect(await read()).toBe(2)
    database.write('trade')
    expect(await read()).toBe(3)
    expect(await cache.get('plain'), 'what the feed does not cover stays').toBe(1)
    feed.resume()
    await read()
    const { loads } = database
    await world.clock.advance(10_000)
    await read()
    expect(database.loads).toBe(loads)
  })

  test('atLeast: who carries the position of a write reads that write', async () => {
    const { world, feed, cache, database, read } = setup()
    await read()
    database.write('trade') // committed and visible; the feed has not told of it yet
    const position = '1'
    expect(await read(), 'a reader without a position may see the old row for a moment').toBe(1)
    expect(await cache.get('trade', { atLeast: position })).toBeUndefined()
    expect(cache.getSync('trade', { atLeast: position })).toBeUndefined()
    const held = database.holdNext()
    const early = cache.getOrSet('late', database.load('trade'), { tags: ['trades:1'] })
    await world.settle()
    database.write('trade')
    const after = cache.getOrSet('late', database.load('trade'), { tags: ['trades:1'], atLeast: position })
    await world.settle()
    held.open()
    expect(await early, 'began before the write').toBe(2)
    expect(await after, 'does not join a load that began before').toBe(3)
    expect(await read({ atLeast: position })).toBe(3)
    expect(feed.commit('trades', 'trades:1')).toBe(position)
    feed.settle()
    await read({ atLeast: position })
    const { loads } = database
    expect(await read({ atLeast: position }), 'once the feed is that far, hits are hits').toBe(3)
    expect(database.loads).toBe(loads)
    expect(await cache.get('trade', { atLeast: position })).toBe(3)
  })

  test('atLeast: what the feed does not cover is loaded, from the database and not from a store', async () => {
    const world = new World()
    const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
    const cache = world.cache({ feed, store: world.store })
    const { load } = counting()
    await cache.getOrSet('key', load)
    await world.settle()
    expect(await cache.getOrSet('key', load, { atLeast: '0' })).toBe(2)
  })

  test('many readers with one position share one load', async () => {
    const { world, database, read } = setup()
    database.write('trade')
    const held = database.holdNext()
    const reads = Array.from({ length: 50 }, () => read({ atLeast: '7' }))
    await world.settle()
    held.open()
    expect(new Set(await Promise.all(reads))).toEqual(new Set([2]))
    expect(database.loads).toBe(1)
  })

  test('in a request, atLeast is not answered by the memo', async () => {
    const { cache, database, read } = setup()
    await cache.request(async () => {
      await read()
      database.write('trade')
      expect(await read({ atLeast: '1' })).toBe(2)
      expect(await read(), 'nor does a later read fall back behind it').toBe(2)
    })
  })

  test('what a process without a feed put into the store is not taken for proven', async () => {
    const { world, feed, database } = setup()
    await world.cache({ store: world.store }).getOrSet('trade', database.load('trade'), { tags: ['trades:1'] })
    database.write('trade')
    const fed = world.cache({ store: world.store, feed })
    expect(await fed.getOrSet('trade', database.load('trade'))).toBe(2)
  })

  test('what the feed covers stays out of the store', async () => {
    const { world, read } = setup({ store: new World().store })
    await read()
    await world.settle()
    const shared = setup()
    const cache = shared.world.cache({ feed: shared.feed, store: shared.world.store })
    await cache.getOrSet('trade', shared.database.load('trade', ['trades:1']))
    await shared.world.settle()
    expect(shared.world.store.calls).not.toContain('fill')
  })
})
