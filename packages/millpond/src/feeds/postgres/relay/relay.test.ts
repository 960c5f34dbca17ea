import { expect, test } from 'vitest'
import type { BusMessage } from '../../../core/bus.ts'
import { seededRandom } from '../../../core/random.ts'
import { type Cache, createCache } from '../../../index.ts'
import { type ManualClock, manualClock } from '../../../testing/manual-clock.ts'
import { type PostgresFeed, postgresFeed } from '../feed.ts'
import { FakeFeeder, FakePrimary, FaultyBusHub, groupOf, randomFates, TABLE } from './relay-world.fixture.ts'

const BOUND_MS = 250
const byGroup = { table: TABLE, columns: ['id'], used: undefined }

interface Follower {
  readonly feed: PostgresFeed
  readonly cache: Cache
  readonly resets: string[]
}

function follow(clock: ManualClock, primary: FakePrimary, hub: FaultyBusHub, feeds = false): Follower {
  const relay = { bus: hub.connect(), feeds }
  const random = seededRandom(1)
  const feed = postgresFeed({ tables: [TABLE], client: primary.client, relay, clock, random, maxStaleness: BOUND_MS })
  const cache = createCache({ feed, clock, ttl: 'forever' })
  const resets: string[] = []
  feed.subscribe({ invalidate() {}, settle() {}, reset: (reason) => resets.push(reason) })
  return { feed, cache, resets }
}

function world() {
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub()
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  return { clock, primary, hub, feeder }
}

/** Counts loads of a row. */
function reader({ cache }: Follower, primary: FakePrimary) {
  const loads: number[] = []
  const read = (row: number): Promise<number> =>
    cache.getOrSet(
      `row ${row}`,
      () => {
        loads.push(row)
        return primary.load(() => primary.read(row))
      },
      { tags: [`rows:${row}`] },
    )
  return { loads, read }
}

test('a follower is whole once the feeder has said where it stands, and hears of each commit', async () => {
  const { clock, primary, hub, feeder } = world()
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  expect(follower.feed.status()).toMatchObject({ state: 'live', role: 'follower', slot: undefined })
  const { read, loads } = reader(follower, primary)
  expect([await read(1), await read(1)]).toEqual([0, 0])
  const { xid } = primary.commit(1)
  feeder.readAll()
  await clock.advance(0)
  primary.show(xid)
  await clock.advance(50)
  expect([await read(1), await read(1), loads]).toEqual([1, 1, [1, 1]])
})

test('while a commit is not visible nothing is kept under its tags, and it is this process that finds out', async () => {
  const { clock, primary, hub, feeder } = world()
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const { read, loads } = reader(follower, primary)
  const { xid } = primary.commit(1)
  feeder.readAll()
  await clock.advance(0)
  for (let turn = 0; turn < 3; turn++) {
    const value = read(1)
    await clock.advance(10)
    expect(await value).toBe(0)
  }
  expect(loads).toEqual([1, 1, 1])
  expect(follower.feed.status().unsettled).toBe(1)
  // The feeder is gone: what is visible the follower asks itself.
  feeder.kill()
  primary.show(xid)
  await clock.advance(50)
  expect(follower.feed.status().unsettled).toBe(0)
  expect([await read(1), await read(1), loads]).toEqual([1, 1, [1, 1, 1, 1]])
})

test('who joins late is told of what is announced and not visible', async () => {
  const { clock, primary, hub, feeder } = world()
  const { xid } = primary.commit(1)
  feeder.readAll()
  await clock.advance(1000)
  const follower = follow(clock, primary, hub)
  await clock.advance(300)
  expect(follower.feed.status()).toMatchObject({ state: 'live', unsettled: 1 })
  const { read } = reader(follower, primary)
  const early = read(1)
  await clock.advance(10)
  expect(await early).toBe(0)
  primary.show(xid)
  await clock.advance(50)
  expect(await read(1)).toBe(1)
})

test('what is lost shows by its number, and voids everything; the next welcome makes it whole again', async () => {
  let loses = false
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(() => (loses ? 'lost' : 'whole'))
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const { read, loads } = reader(follower, primary)
  await read(2)
  const before = follower.resets.length
  loses = true
  primary.show(primary.commit(1).xid)
  feeder.readAll()
  await clock.advance(BOUND_MS + 20)
  // Nothing that proves freshness has come: the database is asked.
  await Promise.all([read(2), clock.advance(10)])
  expect(loads).toEqual([2, 2])
  expect(follower.resets).toHaveLength(before)
  loses = false
  primary.show(primary.commit(3).xid)
  feeder.readAll()
  await clock.advance(0)
  expect(follower.resets.slice(before)[0]).toMatch(/was lost/)
  await clock.advance(1000)
  expect(follower.feed.status().state).toBe('live')
  expect([await read(2), await read(1)]).toEqual([0, 1])
})

test('from the moment at which a loss shows nothing is proven, though more is told in the same breath', async () => {
  const proven: number[] = []
  let loses = false
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(
    () => (loses ? 'lost' : 'whole'),
    () => proven.push(follower.feed.freshAsOfMs()),
  )
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  const follower: Follower = follow(clock, primary, hub)
  await clock.advance(100)
  loses = true
  primary.commit(1)
  feeder.readAll()
  await clock.advance(0)
  loses = false
  proven.length = 0
  for (const row of [2, 3, 4]) primary.commit(row)
  feeder.readAll()
  feeder.keepalive()
  await clock.advance(0)
  expect(proven[0]).toBe(Number.NEGATIVE_INFINITY)
})

test('what makes no sense is not taken: of a feeder it ends the epoch, of others it is nothing', async () => {
  const { clock, primary, hub, feeder } = world()
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const told: BusMessage[] = []
  const end = hub.connect()
  end.subscribe({ message: (message) => told.push(message), gap() {} })
  for (const text of ['', '5', '[]', '["watch",1,[5]]', '["watch",1,[{"rows":{"columns":[]}}]]', '["nothing"]'])
    await end.publish({
      cache: 'relay 1 asks millpond',
      kind: 'delete',
      keys: [`x.1 ${text.length + 1} 0 0 ${text}`, 'no frame'],
    })
  primary.show(primary.commit(1).xid)
  feeder.readAll()
  await clock.advance(20)
  expect(follower.feed.status().state).toBe('live')
  const before = follower.resets.length
  const last = told.flatMap(({ cache, keys = [] }) => (cache.includes('tells') ? keys : [])).at(-1)!
  const [sender, number] = last.split(' ')
  const next = `${sender} ${Number(number) + 1} 0 0 ["progress","nowhere"]`
  await end.publish({ cache: 'relay 1 tells millpond', kind: 'delete', keys: [next] })
  await clock.advance(0)
  expect(follower.resets.slice(before)[0]).toMatch(/not understood/)
})

test('the last that was told is lost: who follows is behind, asks, and finds out, though nothing more is committed', async () => {
  let loses = false
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(({ cache }) => (loses && cache.includes('tells') ? 'lost' : 'whole'))
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const before = follower.resets.length
  primary.show(primary.commit(1).xid)
  loses = true
  feeder.readAll()
  await clock.advance(0)
  loses = false
  await clock.advance(BOUND_MS)
  expect(follower.resets.slice(before)[0]).toMatch(/was lost/)
  await clock.advance(500)
  expect(follower.feed.status().state).toBe('live')
})

test('a gap of the bus makes the feeder speak, so that a loss shows at once', async () => {
  let loses = false
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(() => (loses ? 'lost' : 'whole'))
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const before = follower.resets.length
  hub.gap()
  await clock.advance(0)
  expect(follower.resets).toHaveLength(before)
  loses = true
  primary.commit(1)
  feeder.readAll()
  await clock.advance(0)
  loses = false
  hub.gap()
  await clock.advance(0)
  expect(follower.resets.slice(before)[0]).toMatch(/was lost/)
})

test('a feeder that is gone: hits stop within the bound, as soon as the database has moved on; then another feeds', async () => {
  const { clock, primary, hub, feeder } = world()
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const { read, loads } = reader(follower, primary)
  await read(1)
  feeder.kill()
  // Nothing has been committed: what is kept is still all that there is.
  await clock.advance(2000)
  await read(1)
  expect(loads).toEqual([1])
  primary.show(primary.commit(1).xid)
  await clock.advance(BOUND_MS + 20)
  const value = read(1)
  await clock.advance(5)
  expect([await value, loads]).toEqual([1, [1, 1]])
  const before = follower.resets.length
  new FakeFeeder(primary, hub.connect(), clock)
  await clock.advance(1000)
  expect(follower.resets.slice(before)[0]).toMatch(/another process feeds/)
  expect(follower.feed.status().state).toBe('live')
})

test('a feeder whose welcome was lost is noticed by whatever else it says', async () => {
  let loses = false
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(() => (loses ? 'lost' : 'whole'))
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  feeder.kill()
  loses = true
  const other = new FakeFeeder(primary, hub.connect(), clock)
  await clock.advance(0)
  loses = false
  primary.show(primary.commit(1).xid)
  other.readAll()
  await clock.advance(1000)
  expect(follower.resets.join()).toMatch(/another process feeds/)
  expect(follower.feed.status().state).toBe('live')
})

test('a feeder that ends says so; whoever gets the lock takes its place, and only who may', async () => {
  const { clock, primary, hub, feeder } = world()
  const [able, unable] = [follow(clock, primary, hub, true), follow(clock, primary, hub)]
  await clock.advance(0)
  feeder.end()
  primary.lockIsFree = true
  await clock.advance(0)
  expect(able.resets.at(-1)).toMatch(/has stopped/)
  await clock.advance(1000)
  // There is no walsender behind the made-up client: that one of them tries to read the log is all that can be seen here.
  expect(primary.publicationQueries).toBeGreaterThan(0)
  expect(able.feed.status().role).not.toBe('follower')
  expect(unable.feed.status()).toMatchObject({ role: 'follower', state: 'starting' })
})

test('a feeder of another server, or of another history of it, is not followed', async () => {
  const clock = manualClock()
  const [primary, other] = [new FakePrimary(clock), new FakePrimary(clock)]
  const hub = new FaultyBusHub()
  other.timeline = 2
  new FakeFeeder(other, hub.connect(), clock)
  const follower = follow(clock, primary, hub)
  await clock.advance(2000)
  expect(follower.feed.status()).toMatchObject({ state: 'starting' })
  expect(follower.feed.status().bypassReason).toMatch(/waits for the process that feeds/)
  new FakeFeeder(primary, hub.connect(), clock)
  await clock.advance(300)
  expect(follower.feed.status().state).toBe('live')
})

test('until the feeder knows a watch any change of its table voids what depends on it; from then on only what matters', async () => {
  let losesAsked = true
  const clock = manualClock()
  const primary = new FakePrimary(clock)
  const hub = new FaultyBusHub(({ cache }) => (losesAsked && cache.includes('asks') ? 'lost' : 'whole'))
  const feeder = new FakeFeeder(primary, hub.connect(), clock)
  losesAsked = false
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  losesAsked = true
  let loads = 0
  const tags = () => follower.feed.watch(byGroup).tags([['0']])
  const read = () => follower.cache.getOrSet('group 0', () => ++loads, { tags: tags() })
  const change = async (row: number): Promise<void> => {
    primary.show(primary.commit(row).xid)
    feeder.readAll()
    await clock.advance(20)
  }
  await read()
  await change(1)
  expect(await read()).toBe(2)
  losesAsked = false
  await clock.advance(500)
  await change(1)
  expect(await read()).toBe(2)
  await change(3)
  expect(await read()).toBe(3)
  // The feeder has forgotten it: what depends on it is void, and it is told anew.
  const [tag] = tags()
  for (let at = 0; at < 500; at++) feeder.watches.watch({ ...byGroup, used: [`u${at}`] })
  expect([...feeder.watches.of('rows')].some((watch) => watch.tag === tag)).toBe(false)
  await clock.advance(0)
  expect(await read()).toBe(4)
  await clock.advance(20)
  await change(1)
  expect(await read()).toBe(4)
  await change(3)
  expect(await read()).toBe(5)
})

test('positions: a reader waits for what was written, and a strict one for what was there when he asked', async () => {
  const { clock, primary, hub, feeder } = world()
  const follower = follow(clock, primary, hub)
  await clock.advance(0)
  const { xid } = primary.commit(1)
  const now = follower.feed.now()
  await clock.advance(0)
  const position = await now
  expect(follower.feed.includes(position)).toBe(false)
  const reached = follower.feed.reached(position, 100)
  await clock.advance(20)
  feeder.readAll()
  primary.show(xid)
  await clock.advance(0)
  expect(await reached).toBe(true)
  expect(follower.feed.includes(position)).toBe(true)
  expect(follower.feed.includes(position.replace(/^77\/1/, '77/2'))).toBe(false)
})

/** Two followers, a bus with faults, feeders that die: no read misses what was visible for longer than the bound. */
test.each(Array.from({ length: 40 }, (_, at) => at))(
  'whatever happens no read is older than the bound (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const upTo = (count: number): number => Math.floor(random() * count)
    const clock = manualClock()
    const primary = new FakePrimary(clock, () => upTo(4))
    let chance = 0.01
    const hub = new FaultyBusHub((message) => randomFates(random, chance)(message))
    let feeder = new FakeFeeder(primary, hub.connect(), clock)
    const followers = [follow(clock, primary, hub), follow(clock, primary, hub)]
    const reads: Promise<void>[] = []
    const wrong: unknown[] = []
    let [hits, loads] = [0, 0]
    const ROWS = 6

    const sumOf = (group: string): number[] =>
      Array.from({ length: ROWS }, (_, row) => (groupOf(row) === group ? primary.read(row) : 0))
    const check = (row: number, version: number, beganAtMs: number): void => {
      const due = (primary.visibleAtMs.get(row) ?? []).filter((atMs) => atMs < beganAtMs - BOUND_MS).length
      expect(version, `row ${row} at ${beganAtMs}, seed ${seed}`).toBeGreaterThanOrEqual(due)
    }
    const count =
      <T>(look: () => T) =>
      (): Promise<T> => {
        loads++
        return primary.load(look)
      }
    const read = async ({ cache, feed }: Follower): Promise<void> => {
      const [row, beganAtMs, before] = [upTo(ROWS), clock.monotonic(), loads]
      if (random() < 0.5) {
        const load = count(() => primary.read(row))
        check(row, await cache.getOrSet(`row ${row}`, load, { tags: [`rows:${row}`] }), beganAtMs)
      } else {
        const group = groupOf(row)
        const load = count(() => sumOf(group))
        const tags = feed.watch(byGroup).tags([[group]])
        const sums = await cache.getOrSet(`group ${group}`, load, { tags })
        for (const [at, version] of sums.entries()) if (groupOf(at) === group) check(at, version, beganAtMs)
      }
      if (loads === before) hits++
    }
    const actions: (() => unknown)[] = [
      () => primary.commit(upTo(ROWS)),
      () => primary.show([...primary.invisible.keys()][upTo(primary.invisible.size)] ?? 0),
      () => feeder.readOne(),
      () => feeder.readAll(),
      () => feeder.keepalive(),
      ...Array.from(
        { length: 6 },
        (_, at) => () => reads.push(read(followers[at % 2]!).catch((error: unknown) => void wrong.push(error))),
      ),
      () => random() < 0.1 && hub.gap(),
      () => {
        if (random() > 0.03) return
        if (random() < 0.5) feeder.end()
        else feeder.kill()
        // An epoch begins when all that is in the log before it is visible.
        for (const xid of [...primary.invisible.keys()]) primary.show(xid)
        feeder = new FakeFeeder(primary, hub.connect(), clock)
      },
    ]
    for (let step = 0; step < 1500; step++) {
      actions[upTo(actions.length)]!()
      if (random() < 0.5) await clock.advance(upTo(12))
    }
    // At rest every value is the database's.
    chance = 0
    for (const xid of [...primary.invisible.keys()]) primary.show(xid)
    for (let turn = 0; turn < 100; turn++) {
      feeder.readAll()
      feeder.keepalive()
      await clock.advance(30)
    }
    await Promise.all(reads)
    expect(wrong).toEqual([])
    for (const follower of followers) {
      expect(follower.feed.status().state, `seed ${seed}`).toBe('live')
      for (let row = 0; row < ROWS; row++) {
        const load = (): Promise<number> => primary.load(() => primary.read(row))
        const value = follower.cache.getOrSet(`row ${row}`, load, { tags: [`rows:${row}`] })
        await clock.advance(20)
        expect(await value, `row ${row} at rest, seed ${seed}`).toBe(primary.read(row))
      }
    }
    expect(hits).toBeGreaterThan(0)
  },
)
