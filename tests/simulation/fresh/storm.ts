/**
 * A storm: processes with caches read and write the same rows while the server, their wires and they themselves fail at
 * random. At the end everything comes to rest, every kept row is compared with the database, and the judge has the history.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { positionOf } from 'millpond/postgres'
import { type Random, seededRandom } from '../../../packages/millpond/src/core/random.ts'
import { Sessions } from '../../../tools/servers/postgres-probe.ts'
import { until } from '../../../tools/servers/until.ts'
import { drawn, FAILOVER, type Fault, PROCESS_FAULTS, SERVER_FAULTS } from './faults.ts'
import { nowMs } from './history.ts'
import { judge, type Verdict } from './judge.ts'
import { LIBRARY, type Seat, World } from './world.ts'

export interface StormOptions {
  /** Decides settings, faults, and who reads and writes what; not how long the machine takes for it. */
  readonly seed: number
  readonly binaries: 'system' | 'embedded'
  readonly durationMs: number
  /** The sources of the library, as they are or changed. */
  readonly library?: string
}

export interface StormReport {
  readonly verdict: Verdict
  readonly writes: number
  /** How often each fault was played. */
  readonly faults: Readonly<Record<string, number>>
  /** What the seed decided. */
  readonly settings: StormSettings
}

interface StormSettings {
  readonly boundMs: number
  readonly isAsync: boolean
  /** The second process has a slot that is kept. */
  readonly hasSlot: boolean
  /** One process feeds the others over a bus. */
  readonly isRelayed: boolean
  /** How many writers each process has. Who writes waits for his own writes; who only reads is the better judge of the bound. */
  readonly writers: readonly number[]
}

const KEYS = 24
/** A process that hits less proves nothing. */
const HITS_MIN = 20
/** How the second process is fed, or all of them. */
const WAYS = ['own', 'slot', 'relay'] as const
/** Time between two faults of a kind, at most. */
const CALM_MS = 700

export async function storm(options: StormOptions): Promise<StormReport> {
  const random = seededRandom(options.seed)
  const settings = drawnSettings(random)
  const world = await World.start({ binaries: options.binaries, keys: KEYS })
  try {
    await world.addStandby({ hot_standby_feedback: true })
    if (settings.isRelayed) await world.addBus()
    await open(world, settings, options.library ?? LIBRARY)
    const faults = await play(world, options, settings, random)
    await rest(world)
    const history = await world.history()
    return { verdict: judge(history), writes: history.writes.length, faults, settings }
  } finally {
    await world.end()
  }
}

function drawnSettings(random: Random): StormSettings {
  const boundMs = random() < 0.5 ? 250 : 60
  const isAsync = random() < 0.4
  const writers = random() < 0.5 ? [4, 0, 0] : [2, 2, 0]
  const way = WAYS[Math.floor(random() * WAYS.length)]
  return { boundMs, isAsync, writers, hasSlot: way === 'slot', isRelayed: way === 'relay' }
}

/** Two processes on the primary, and one that reads the standby. */
async function open(world: World, settings: StormSettings, library: string): Promise<void> {
  const { hasSlot, boundMs, isAsync } = settings
  const common = { boundMs, isAsync, library, ...(world.bus && { relay: world.bus.url }) }
  await world.addSeats([
    { name: 'first', ...common },
    { name: 'second', ...common, ...(hasSlot && { slot: 'second' }) },
    { name: 'third', reads: 'standby', ...common },
  ])
  await all(world.seats, ({ process }) => process.call('ready'))
}

async function play(
  world: World,
  options: StormOptions,
  settings: StormSettings,
  random: Random,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const endMs = nowMs() + options.durationMs
  const [seed, ofServer, ofProcesses] = [random, random, random].map((draw) => Math.floor(draw() * 2 ** 31))
  await all(world.seats, ({ process }, at) =>
    process.call('start', { seed: seed! + at, readers: 3, writers: settings.writers[at]!, keys: KEYS - 2 }),
  )
  const track = async (draw: Random, next: () => Fault): Promise<void> => {
    while (nowMs() < endMs) {
      await sleep(draw() * CALM_MS)
      const fault = next()
      await fault.run(world, draw)
      counts[fault.name] = (counts[fault.name] ?? 0) + 1
    }
  }
  const relays = new AbortController()
  const relayed = relay(world.seats, relays.signal)
  // It is awaited at the end, where there is one.
  relayed.catch(() => {})
  const [server, processes] = [seededRandom(ofServer!), seededRandom(ofProcesses!)]
  const failoverMs = nowMs() + options.durationMs * (0.4 + 0.5 * server())
  await Promise.all([
    track(server, () => {
      const isDue = world.standby !== undefined && nowMs() > failoverMs
      return isDue ? FAILOVER : drawn(SERVER_FAULTS, server)
    }),
    track(processes, () => drawn(PROCESS_FAULTS, processes)),
  ])
  // On a machine that is busy with other things they may not have come to it before.
  await all(world.seats, ({ name, process }) =>
    until(`${name} hits`, async () => (await process.call('hits')) >= HITS_MIN, 60_000),
  )
  await all(world.seats, ({ process }) => process.call('stop'))
  relays.abort()
  await relayed
  return counts
}

/** Hands what a process has written to the others, as a cookie or a header would. */
async function relay(seats: readonly Seat[], ended: AbortSignal): Promise<void> {
  await all(seats, async ({ process, readsStandby }) => {
    while (!ended.aborted && !readsStandby) {
      const claims = await process.call('claims')
      if (claims.length > 0) await all(seats, (other) => other.process.call('give', claims))
    }
  })
}

/** Everything has been told, everywhere; then what is kept has to be what the database has. */
async function rest(world: World): Promise<void> {
  const token = await positionOf({ query: async (text) => ({ rows: await world.sql(text) }) })
  if (world.standby) await replayed(world.standby, token.split('/').slice(2).join('/'))
  for (const { process } of world.seats) {
    await process.call('ready')
    await until('the feed has told everything', async () => await process.call('caughtUp', token))
    await process.call('rest', [...world.keys])
  }
}

async function replayed(standby: NonNullable<World['standby']>, lsn: string): Promise<void> {
  const sessions = new Sessions(standby)
  const client = await sessions.open()
  await until('the standby has everything', async () => {
    const { rows } = await client.query(`SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS has`)
    return rows[0].has
  })
  await sessions.end()
}

async function all<T>(seats: readonly Seat[], run: (seat: Seat, at: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(seats.map(run))
}
