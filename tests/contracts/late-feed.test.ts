/** The bound of a feed holds for readers who join a load: what a late feed has not told of does not void it. */
import { createCache } from 'millpond'
import { MemoryFeed, manualClock } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { Database, gate } from './world.ts'

/** A load that began before a commit which the feed, being late, does not tell of. */
function setup(tags: { early: readonly string[]; late: readonly string[] }) {
  const clock = manualClock()
  const feed = new MemoryFeed({ clock, tables: ['rows'] })
  const cache = createCache({ clock, feed })
  const database = new Database()
  const read = () => cache.getOrSet('row', database.load('row', tags.late), { tags: tags.early })
  const begin = async () => {
    const held = database.holdNext()
    const answer = read()
    await clock.advance(0)
    return { answer, held }
  }
  return { clock, feed, cache, database, read, begin }
}

const tags = {
  'tags that are known before': { early: ['rows'], late: [] },
  'tags that the loader names': { early: [], late: ['rows'] },
}

describe.each(Object.entries(tags))('%s', (_, named) => {
  test('a reader who comes later than the bound after a commit does not get the row of before', async () => {
    const { clock, feed, database, read, begin } = setup(named)
    feed.stall()
    const { answer, held } = await begin()
    database.write('row')
    await clock.advance(251)
    const later = Promise.all(Array.from({ length: 100 }, read))
    await clock.advance(0)
    held.open()
    expect(await answer).toBe(1)
    expect(new Set(await later)).toEqual(new Set([2]))
    // All who came too late for the first load share one other.
    expect(database.loads).toBe(2)
  })

  test('within the bound readers share the load', async () => {
    const { clock, feed, database, read, begin } = setup(named)
    feed.stall()
    const { held } = await begin()
    database.write('row')
    await clock.advance(250)
    const joined = read()
    await clock.advance(0)
    held.open()
    expect(await joined).toBe(1)
    expect(database.loads).toBe(1)
  })

  test('a feed that makes up for its delay, and has nothing to tell, lets them share it', async () => {
    const { clock, feed, database, read, begin } = setup(named)
    feed.stall()
    const { held } = await begin()
    await clock.advance(1000)
    const joined = read()
    await clock.advance(0)
    feed.resume()
    held.open()
    expect(await joined).toBe(1)
    expect(database.loads).toBe(1)
  })

  test('a feed that makes up for its delay by telling of the commit does not', async () => {
    const { clock, feed, database, read, begin } = setup(named)
    feed.stall()
    const { held } = await begin()
    database.write('row')
    await clock.advance(1000)
    const joined = read()
    await clock.advance(0)
    feed.commit('rows')
    feed.settle()
    feed.resume()
    held.open()
    expect(await joined).toBe(2)
  })

  test('a load that takes longer than the bound is shared while the feed is on time', async () => {
    const { clock, database, read, begin } = setup(named)
    const { held } = await begin()
    await clock.advance(5000)
    const joined = read()
    await clock.advance(0)
    held.open()
    expect(await joined).toBe(1)
    expect(database.loads).toBe(1)
  })
})

test('without a feed a slow load is shared', async () => {
  const clock = manualClock()
  const cache = createCache({ clock })
  const slow = gate()
  let loads = 0
  const read = () =>
    cache.getOrSet('row', async () => {
      loads++
      await slow.passed
    })
  const first = read()
  await clock.advance(5000)
  const second = read()
  slow.open()
  await Promise.all([first, second])
  expect(loads).toBe(1)
})
