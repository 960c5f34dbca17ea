/** What goes wrong in a storm: with the server, or with one process and its wires. Each ends with all in order again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../../packages/millpond/src/core/random.ts'
import { Sessions } from '../../../tools/servers/postgres-probe.ts'
import type { Seat, World } from './world.ts'

export interface Fault {
  readonly name: string
  /** How often it is drawn, beside the others. */
  readonly weight: number
  run(world: World, random: Random): Promise<void>
}

/** Faults of the server: one at a time. */
export const SERVER_FAULTS: readonly Fault[] = [
  { name: 'walsenders killed', weight: 3, run: (world) => terminate(world, "backend_type = 'walsender'") },
  {
    name: 'all backends killed',
    weight: 2,
    run: (world) => terminate(world, "backend_type IN ('walsender', 'client backend')"),
  },
  {
    name: 'commits wait for a synchronous standby',
    weight: 4,
    async run(world, random) {
      await world.holdCommits(true)
      await sleep(100 + random() * 900)
      await world.holdCommits(false)
    },
  },
  {
    name: 'a write transaction stays open while feeds begin',
    weight: 2,
    async run(world, random) {
      const client = await world.session()
      await client.query('BEGIN; INSERT INTO numbers VALUES (-1, 0)')
      await terminate(world, "backend_type = 'walsender'")
      await sleep(100 + random() * 900)
      await client.query('ROLLBACK')
      await client.end()
    },
  },
  {
    name: 'a transaction of 20,000 rows',
    weight: 1,
    async run(world) {
      await world.sql('INSERT INTO numbers SELECT -i, 0 FROM generate_series(1, 20000) i')
      await world.sql('DELETE FROM numbers WHERE id < 0')
    },
  },
  {
    name: 'the standby stands still',
    weight: 3,
    async run(world, random) {
      if (!world.standby) return
      const sessions = new Sessions(world.standby)
      const client = await sessions.open()
      await client.query('SELECT pg_wal_replay_pause()')
      await sleep(100 + random() * 900)
      await client.query('SELECT pg_wal_replay_resume()')
      await sessions.end()
    },
  },
  {
    name: 'crash',
    weight: 1,
    run: (world) =>
      world.disaster(async () => {
        await world.primary.crash()
        await world.primary.restart()
      }),
  },
]

/** Faults of one process: beside those of the server. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'wire of a feed dead',
    weight: 4,
    async run(world, random) {
      const { feedWire } = anyOf(world.seats, random)
      feedWire.stall()
      await sleep(50 + random() * 1200)
      feedWire.resume()
    },
  },
  {
    name: 'wire of a feed cut',
    weight: 2,
    run: async (world, random) => anyOf(world.seats, random).feedWire.cut(),
  },
  {
    name: 'the bus between the processes stands still',
    weight: 2,
    async run({ bus }, random) {
      bus?.pause()
      await sleep(20 + random() * 600)
      bus?.resume()
    },
  },
  {
    name: 'the bus between the processes is lost',
    weight: 1,
    async run({ bus }) {
      await bus?.kill9()
      await bus?.restart()
    },
  },
  {
    name: 'process stopped',
    weight: 3,
    async run(world, random) {
      const { process } = anyOf(world.seats, random)
      process.signal('SIGSTOP')
      await sleep(20 + random() * 600)
      process.signal('SIGCONT')
    },
  },
]

/** The primary is gone, dead or cut off, and the standby takes its place: once in a storm. */
export const FAILOVER: Fault = {
  name: 'failover',
  weight: 1,
  async run(world, random) {
    await world.disaster(async () => {
      const writing = world.seats.filter(({ readsStandby }) => !readsStandby)
      const wires = [...world.seats.map(({ feedWire }) => feedWire), ...writing.map(({ poolWire }) => poolWire)]
      for (const wire of wires) wire.stall()
      if (random() < 0.5) await world.primary.crash()
      await world.promote()
      for (const wire of wires) {
        wire.lead(world.primary.port)
        wire.cut()
        wire.resume()
      }
    })
  },
}

/** Draws one, by weight. */
export function drawn(faults: readonly Fault[], random: Random): Fault {
  let left = random() * faults.reduce((sum, { weight }) => sum + weight, 0)
  return faults.find(({ weight }) => (left -= weight) < 0) ?? faults[0]!
}

async function terminate(world: World, which: string): Promise<void> {
  await world.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${which} AND pid <> pg_backend_pid()`)
}

function anyOf(seats: readonly Seat[], random: Random): Seat {
  return seats[Math.floor(random() * seats.length)]!
}
