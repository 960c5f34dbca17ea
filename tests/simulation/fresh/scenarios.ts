/**
 * Short plays for one weakness each: a fault that is held open until a cache without a certain guard must show it. What
 * waits, waits for a state of the database or of the feed; only a bound itself is waited for by the clock.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { PostgresServer } from '../../../tools/servers/postgres.ts'
import { Sessions } from '../../../tools/servers/postgres-probe.ts'
import { until } from '../../../tools/servers/until.ts'
import type { Claim, ReadWish } from './cache-process.ts'
import { nowMs, type Read } from './history.ts'
import type { MutantName } from './mutants.ts'
import type { Seat, SeatOptions, World } from './world.ts'

export interface Scenario {
  readonly name: string
  /** The mutants that it is for. */
  readonly kills: readonly MutantName[]
  /** It leaves the servers in a state that nobody else can use. */
  readonly spoilsWorld?: true
  /** @param library the sources of the library, as they are or changed */
  run(world: World, library: string): Promise<void>
}

/**
 * Wide, because a feed on a busy machine may be late for as long: then what is old is loaded again, and the mutant heals.
 */
const BOUND_MS = 500
/** A feed that is cut off stays so for as long as a play needs. */
const LONG_MS = 20_000
/** For so many bounds is read where the library serves no hit: long enough for a mutant to serve one. */
const NO_HIT_BOUNDS = 3

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a commit waits for a synchronous standby',
    kills: ['no settling'],
    async run(world, library) {
      const seat = await ready(world, { library })
      const writer = await world.session()
      const { done } = await heldWrite(world, writer, 1)
      await until('the feed has told it', async () => (await seat.process.call('status')).unsettled > 0)
      await read(seat, [{ key: 1, mode: 'bounded' }, LOADED_1, { key: 1, mode: 'strict' }], 3)
      await world.holdCommits(false)
      await caughtUp(seat, await done)
      await readOn(seat, [{ key: 1, mode: 'bounded' }, LOADED_1, { key: 1, mode: 'strict' }])
    },
  },
  {
    name: 'asynchronous commits that are not on disk',
    kills: ['flush position under asynchronous commits'],
    async run(world, library) {
      const seat = await ready(world, { library, isAsync: true })
      await world.set('wal_writer_delay', '10s')
      const writer = await world.session()
      await writer.query('SET synchronous_commit = off')
      for (const key of [1, 2]) {
        await keep(seat, key)
        await world.write(key, writer)
        await readOn(seat, [{ key, mode: 'bounded' }])
      }
      await world.set('wal_writer_delay', undefined)
    },
  },
  {
    name: 'a change comes while a loader is at work',
    kills: ['no mark on loads in flight'],
    async run(world, library) {
      const seat = await ready(world, { library })
      await seat.process.call('hold', 1)
      await caughtUp(seat, await world.write(1))
      await seat.process.call('release')
      await readOn(seat, [LOADED_1])
    },
  },
  {
    name: 'a standby stands still',
    kills: ['no replay guard on standbys'],
    async run(world, library) {
      const replay = await Replay.of(world)
      const seat = await ready(world, { library, reads: 'standby' })
      await keep(seat, 1)
      await replay.pause()
      const claim = await world.write(1)
      await caughtUp(seat, claim)
      await read(seat, [{ key: 1, mode: 'bounded' }], 3)
      await replay.resume()
      await replay.has(1, claim)
      await readOn(seat, [{ key: 1, mode: 'bounded' }])
      await replay.end()
    },
  },
  {
    name: 'a standby stands still, and the feed with it',
    kills: ['what a standby says taken for new'],
    async run(world, library) {
      const replay = await Replay.of(world)
      const seat = await ready(world, { library, reads: 'standby' })
      await keep(seat, 1)
      // The standby has all that the feed will have told.
      seat.feedWire.stall()
      await replay.has(2, await world.write(2))
      await replay.pause()
      await world.write(1)
      await readFor(seat, [{ key: 1, mode: 'bounded' }], NO_HIT_BOUNDS)
      seat.feedWire.resume()
      await replay.resume()
      await replay.end()
    },
  },
  {
    name: 'a feed begins while a commit is in the log and not visible',
    kills: ['no settling at the start'],
    run: beginBehindHeldCommit,
  },
  {
    name: 'the wire of the feed is dead',
    kills: ['no bound on a hit'],
    async run(world, library) {
      const seat = await ready(world, { library })
      await keep(seat, 1)
      seat.feedWire.stall()
      await world.write(1)
      await readFor(seat, [{ key: 1, mode: 'bounded' }, LOADED_1], NO_HIT_BOUNDS)
      seat.feedWire.resume()
    },
  },
  {
    name: 'what a feeder tells another process is lost on the way',
    kills: ['what is lost on the bus not noticed'],
    async run(world, library) {
      const { url: relay } = await world.addBus()
      const feeder = await ready(world, { library, relay })
      const follower = await ready(world, { library, relay })
      await keepThrough(world, follower, 1, 2)
      await follower.process.call('deafen', true)
      await caughtUp(feeder, await world.write(1))
      await follower.process.call('deafen', false)
      await world.write(2)
      await readOn(follower, [{ key: 1, mode: 'bounded' }, LOADED_1])
    },
  },
  {
    name: 'a process writes while its feed is late',
    kills: ['own writes not awaited'],
    async run(world, library) {
      const seat = await ready(world, { library, boundMs: LONG_MS / 2 })
      await keep(seat, 1)
      seat.feedWire.stall()
      await seat.process.call('write', 1)
      await read(seat, [{ key: 1, mode: 'bounded' }], 3)
      seat.feedWire.resume()
    },
  },
  {
    name: 'the old primary goes on beside the promoted one',
    kills: ['no timeline in positions', 'no timeline of connections'],
    spoilsWorld: true,
    async run(world, library) {
      const standby = await world.addStandby()
      const seat = await ready(world, { library })
      await keep(seat, 1)
      await cutOff(standby)
      // The old one's log gets longer than the new one's will be.
      await world.write(3)
      await world.sql('SELECT pg_switch_wal()')
      await caughtUp(seat, await world.write(3))
      await world.promote()
      seat.poolWire.lead(standby.port)
      seat.poolWire.cut()
      await readFor(seat, [{ key: 1, mode: 'atLeast', claim: await world.write(1) }], NO_HIT_BOUNDS)
      await read(seat, [{ key: 2, mode: 'bounded' }], 3)
      await world.write(2)
      await readFor(seat, [{ key: 2, mode: 'bounded' }], NO_HIT_BOUNDS)
    },
  },
]

const WAYS: readonly Read['via'][] = ['pool', 'loader']
const LOADED_1: ReadWish = { key: 1, mode: 'bounded', via: 'loader' }

async function ready(world: World, options: Omit<SeatOptions, 'name'>): Promise<Seat> {
  const seat = await world.addSeat({ name: 'reader', boundMs: BOUND_MS, stallTimeoutMs: LONG_MS, ...options })
  await seat.process.call('ready')
  return seat
}

async function read(seat: Seat, wishes: readonly ReadWish[], times: number): Promise<void> {
  for (let count = 0; count < times; count++) for (const wish of wishes) await seat.process.call('read', wish)
}

/** Reads until what was replaced just now must not be served any more, and until a read is a hit. */
async function readOn(seat: Seat, wishes: readonly ReadWish[]): Promise<void> {
  await readFor(seat, wishes, 1)
  await until('a read is a hit', async () => (await readFor(seat, wishes, 0)) > 0)
}

/** Reads for so many bounds. Returns how many reads were hits. */
async function readFor(seat: Seat, wishes: readonly ReadWish[], bounds: number): Promise<number> {
  const endMs = nowMs() + bounds * BOUND_MS
  let hits = 0
  do {
    for (const wish of wishes) if ((await seat.process.call('read', wish))?.isHit) hits++
    await sleep(2)
  } while (nowMs() < endMs)
  return hits
}

/** Reads until the row is kept by the pool and by the loader's key, so that reads are hits. */
async function keep(seat: Seat, key: number): Promise<void> {
  const ways = seat.readsStandby ? (['pool'] as const) : WAYS
  for (const via of ways)
    await until(`row ${key} is kept`, async () => {
      return (await seat.process.call('read', { key, mode: 'bounded', via }))?.isHit === true
    })
}

/** The same, until a change of another row leaves it alone: whoever feeds knows what this process depends on. */
async function keepThrough(world: World, seat: Seat, key: number, other: number): Promise<void> {
  await until(`row ${key} is kept while row ${other} changes`, async () => {
    await keep(seat, key)
    await caughtUp(seat, await world.write(other))
    const reads = await Promise.all(WAYS.map((via) => seat.process.call('read', { key, mode: 'bounded', via })))
    return reads.every((read) => read?.isHit)
  })
}

async function caughtUp(seat: Seat, { token }: Claim): Promise<void> {
  if (!(await seat.process.call('caughtUp', token))) throw new Error('the feed did not catch up')
}

/** A write that is in the log and waits for a standby that there is not. */
async function heldWrite(world: World, writer: pg.Client, key: number): Promise<{ done: Promise<Claim> }> {
  await world.holdCommits(true)
  // Until the setting has reached the writer's backend a commit may pass at once: the one that waits is the one we want.
  for (;;) {
    let hasPassed = false
    const done = world.write(key, writer).then((claim) => {
      hasPassed = true
      return claim
    })
    await until('the commit waits, or has passed', async () => {
      const waiting = await world.sql("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
      return hasPassed || waiting.length > 0
    })
    if (!hasPassed) return { done }
  }
}

/**
 * A slot waits for the writer A, then for B, which began meanwhile. What is in the log and invisible when B ends lies
 * before the slot's starting point: nobody will ever tell of it.
 */
async function beginBehindHeldCommit(world: World, library: string): Promise<void> {
  const [first, second, writer] = [await world.session(), await world.session(), await world.session()]
  const pid = async (client: pg.Client): Promise<number> =>
    (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
  const begin = (client: pg.Client, key: number): Promise<unknown> =>
    client.query(`BEGIN; UPDATE numbers SET n = n WHERE id = ${key}`)
  await begin(first, 3)
  const seat = await world.addSeat({ name: 'reader', library, boundMs: BOUND_MS, stallTimeoutMs: LONG_MS })
  let isWhole = false
  const whole = seat.process.call('ready').then(() => {
    isWhole = true
  })
  const says = (what: string): Promise<void> =>
    until(`the feed says ${what}`, async () => {
      return isWhole || (await seat.process.call('status')).reason?.includes(what) === true
    })
  await says(`process ${await pid(first)} `)
  await begin(second, 4)
  await first.query('ROLLBACK')
  await says(`process ${await pid(second)} `)
  const { done } = await heldWrite(world, writer, 1)
  await second.query('ROLLBACK')
  await says('not visible')
  await read(seat, [{ key: 1, mode: 'bounded' }], 3)
  await world.holdCommits(false)
  await done
  await whole
  await readOn(seat, [{ key: 1, mode: 'bounded' }])
}

/** A standby that is stopped and started by hand: what it replays, not whether it receives. */
class Replay {
  readonly #client: pg.Client
  readonly #sessions: Sessions

  static async of(world: World): Promise<Replay> {
    const sessions = new Sessions(world.standby ?? (await world.addStandby()))
    return new Replay(sessions, await sessions.open())
  }

  constructor(sessions: Sessions, client: pg.Client) {
    this.#sessions = sessions
    this.#client = client
  }

  async pause(): Promise<void> {
    await this.#client.query('SELECT pg_wal_replay_pause()')
    await until('the standby stands still', async () => {
      const { rows } = await this.#client.query('SELECT pg_get_wal_replay_pause_state() AS state')
      return rows[0].state === 'paused'
    })
  }

  async resume(): Promise<void> {
    await this.#client.query('SELECT pg_wal_replay_resume()')
  }

  async has(key: number, { version }: Claim): Promise<void> {
    await until('the standby has the row', async () => {
      const { rows } = await this.#client.query('SELECT n FROM numbers WHERE id = $1', [key])
      return Number(rows[0].n) >= version
    })
  }

  async end(): Promise<void> {
    await this.#sessions.end()
  }
}

/** The standby does not hear of its primary any more. */
async function cutOff(standby: PostgresServer): Promise<void> {
  const sessions = new Sessions(standby)
  const client = await sessions.open()
  await client.query("ALTER SYSTEM SET primary_conninfo = ''")
  await client.query('SELECT pg_reload_conf()')
  await until('the standby is cut off', async () => {
    return (await client.query('SELECT FROM pg_stat_wal_receiver')).rows.length === 0
  })
  await sessions.end()
}
