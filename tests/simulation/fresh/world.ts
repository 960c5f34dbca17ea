/** The world of a run: a primary, a standby of it where one is wanted, processes with caches, and the wires between them. */
import { positionOf } from 'millpond/postgres'
import type pg from 'pg'
import { Remote } from '../../../bench/src/remote.ts'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { Sessions, TcpProxy } from '../../../tools/servers/postgres-probe.ts'
import { type RedisServer, startRedis } from '../../../tools/servers/redis.ts'
import { until } from '../../../tools/servers/until.ts'
import type { CacheProcess, CacheProcessOptions, Claim } from './cache-process.ts'
import { type Disaster, type History, nowMs, type Read, type Row, versionAt, type Write } from './history.ts'
import { CREATE, SERVER_OF, UPDATE } from './numbers.ts'

export interface WorldOptions {
  readonly binaries: 'system' | 'embedded'
  /** Rows 1 to this. */
  readonly keys: number
}

export interface SeatOptions
  extends Partial<Pick<CacheProcessOptions, 'boundMs' | 'stallTimeoutMs' | 'isAsync' | 'slot' | 'relay'>> {
  readonly name: string
  /** The library's sources, as they are or changed. */
  readonly library?: string
  /** Where its pool leads. Default: to the primary. */
  readonly reads?: 'primary' | 'standby'
}

/** The sources of the library. */
export const LIBRARY: string = new URL('../../../packages/millpond/src/', import.meta.url).href

/** A process and its wires. */
export class Seat {
  readonly name: string
  readonly process: Remote<CacheProcess>
  readonly feedWire: TcpProxy
  readonly poolWire: TcpProxy
  readonly readsStandby: boolean

  constructor(options: SeatOptions, process: Remote<CacheProcess>, feedWire: TcpProxy, poolWire: TcpProxy) {
    this.name = options.name
    this.readsStandby = options.reads === 'standby'
    this.process = process
    this.feedWire = feedWire
    this.poolWire = poolWire
  }

  async close(): Promise<void> {
    for (const wire of [this.feedWire, this.poolWire]) wire.resume()
    this.process.signal('SIGCONT')
    await this.process.close()
    await Promise.all([this.feedWire.close(), this.poolWire.close()])
  }
}

export class World {
  readonly keys: readonly number[]
  readonly seats: Seat[] = []
  readonly disasters: Disaster[] = []
  primary!: PostgresServer
  standby: PostgresServer | undefined
  bus: RedisServer | undefined
  readonly #binaries: WorldOptions['binaries']
  readonly #servers: PostgresServer[] = []
  readonly #reads: Read[] = []
  readonly #writes: Write[] = []
  #sessions!: Sessions
  #admin: pg.Client | undefined

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options)
    try {
      await world.#prepare()
      return world
    } catch (error) {
      await world.end()
      throw error
    }
  }

  private constructor({ binaries, keys }: WorldOptions) {
    this.#binaries = binaries
    this.keys = Array.from({ length: keys }, (_, at) => at + 1)
  }

  /** Runs a statement on the primary, as somebody whom no cache knows. */
  async sql(text: string, values: readonly unknown[] = []): Promise<Record<string, string>[]> {
    this.#admin ??= await this.session()
    try {
      return (await this.#admin.query(text, [...values])).rows
    } catch (error) {
      if (isOfTheServer(error)) throw error
      this.#admin = await this.session()
      return (await this.#admin.query(text, [...values])).rows
    }
  }

  /** A connection to the primary. */
  session(): Promise<pg.Client> {
    return this.#sessions.open()
  }

  /** Makes a standby of the primary. */
  async addStandby(settings: Record<string, string | number | boolean> = {}): Promise<PostgresServer> {
    this.standby = await startPostgres({ binaries: this.#binaries, standbyOf: this.primary, settings })
    this.#servers.push(this.standby)
    return this.standby
  }

  /** From now on the standby is the primary: it is promoted, and what leads to the primary leads there. */
  async promote(): Promise<void> {
    const standby = this.standby!
    const sessions = new Sessions(standby)
    const admin = await sessions.open()
    await admin.query('SELECT pg_promote()')
    await sessions.end()
    await this.#leave()
    this.primary = standby
    this.standby = undefined
    this.#sessions = new Sessions(standby)
  }

  /** What processes with a relay speak over. */
  async addBus(): Promise<RedisServer> {
    this.bus ??= await startRedis()
    return this.bus
  }

  /** Runs what may lose acknowledged writes, and notes when. */
  async disaster(run: () => Promise<unknown>): Promise<void> {
    const [{ server } = {}] = await this.sql(SERVER_OF)
    const beganMs = nowMs()
    await run()
    await this.sql(SERVER_OF)
    const endedMs = nowMs()
    this.disasters.push({ server: server!, beganMs, endedMs, survivors: await this.#rows('ledger') })
  }

  async addSeat(options: SeatOptions): Promise<Seat> {
    const [seat] = await this.addSeats([options])
    return seat!
  }

  /** Starts processes at the same time. */
  async addSeats(all: readonly SeatOptions[]): Promise<readonly Seat[]> {
    const started = await Promise.allSettled(all.map((options, at) => this.#start(options, this.seats.length + at)))
    for (const one of started) if (one.status === 'fulfilled') this.seats.push(one.value)
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return this.seats.slice(-all.length)
  }

  /** A write by somebody whom no cache knows. Resolves with the position that includes it. */
  async write(key: number, client?: pg.Client): Promise<Claim> {
    const run = (text: string, values: readonly unknown[] = []): Promise<Record<string, string>[]> =>
      client === undefined ? this.sql(text, values) : client.query(text, [...values]).then(({ rows }) => rows)
    const beganMs = nowMs()
    const [row] = await run(UPDATE, [key, versionAt(beganMs, OUTSIDER)])
    const ackedMs = nowMs()
    const version = Number(row!.n)
    this.#writes.push({ key, version, by: undefined, beganMs, ackedMs, server: row!.server! })
    const token = await positionOf({ query: async (text) => ({ rows: await run(text) }) })
    return { key, version, token }
  }

  /** From here on no commit becomes visible, though it is in the log: it waits for a standby that there is not. */
  async holdCommits(isHeld: boolean): Promise<void> {
    const wanted = isHeld ? 'nosuch' : ''
    const admin = await this.session()
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${wanted}'`)
    await admin.query('SELECT pg_reload_conf()')
    // The checkpointer takes the new setting over in its own time, and only then do commits wait or stop waiting.
    await until('the setting is taken over', async () => {
      const { rows } = await admin.query("SELECT current_setting('synchronous_standby_names') AS now")
      return rows[0].now === wanted
    })
    await admin.end()
  }

  /** Changes a setting of the primary; `undefined`: back to what it was. */
  async set(name: string, value: string | undefined): Promise<void> {
    await this.sql(value === undefined ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = '${value}'`)
    await this.sql('SELECT pg_reload_conf()')
  }

  /** All that has happened, with the reads since the last call. */
  async history(): Promise<History> {
    await this.#gather()
    const survivors = await this.#rows('ledger')
    const final = await this.#rows('numbers')
    const { disasters } = this
    return { reads: this.#reads.splice(0), writes: [...this.#writes], disasters, survivors, final }
  }

  /** Takes over what the processes have recorded. */
  async #gather(): Promise<void> {
    for (const { process } of this.seats) {
      const { reads, writes } = await process.call('records')
      // There may be more than a call takes arguments.
      for (const read of reads) this.#reads.push(read)
      this.#writes.push(...writes)
    }
  }

  async #rows(table: 'ledger' | 'numbers'): Promise<Row[]> {
    return (await this.sql(`SELECT id, n FROM ${table}`)).map(({ id, n }) => ({ key: Number(id), version: Number(n) }))
  }

  /** Ends the processes; the servers go on. */
  async clear(): Promise<void> {
    await Promise.all(this.seats.splice(0).map((seat) => seat.close()))
  }

  async end(): Promise<void> {
    await this.clear()
    await this.#leave()
    await Promise.all([...this.#servers.splice(0), ...(this.bus ? [this.bus] : [])].map((server) => server.destroy()))
  }

  async #start(options: SeatOptions, writer: number): Promise<Seat> {
    const { reads = 'primary', library = LIBRARY, boundMs = 250, stallTimeoutMs = 1000, isAsync = false } = options
    const { name, slot, relay } = options
    const readsStandby = reads === 'standby'
    const feedWire = await TcpProxy.to(this.primary.port)
    const poolWire = await TcpProxy.to(readsStandby ? this.standby!.port : this.primary.port)
    const argument: CacheProcessOptions = {
      ...{ name, library, boundMs, stallTimeoutMs, isAsync, readsStandby, writer },
      ...{ feedPort: feedWire.port, poolPort: poolWire.port },
      ...(slot !== undefined && { slot }),
      ...(relay !== undefined && { relay }),
    }
    const module = new URL('./cache-process.ts', import.meta.url)
    return new Seat(options, await Remote.start<CacheProcess>({ module, argument }), feedWire, poolWire)
  }

  async #prepare(): Promise<void> {
    this.primary = await startPostgres({ binaries: this.#binaries })
    this.#servers.push(this.primary)
    this.#sessions = new Sessions(this.primary)
    for (const text of CREATE) await this.sql(text)
    await this.sql('INSERT INTO numbers SELECT i, 0 FROM generate_series(1, $1::int) i', [this.keys.length])
  }

  async #leave(): Promise<void> {
    this.#admin = undefined
    await this.#sessions?.end()
  }
}

/** The number of who writes for nobody: see `versionAt`. */
const OUTSIDER = 19

/** Errors of a statement have a code of five characters; those of a connection that is gone do not, or are of class 57. */
function isOfTheServer(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code)
  return code.length === 5 && !code.startsWith('57')
}
