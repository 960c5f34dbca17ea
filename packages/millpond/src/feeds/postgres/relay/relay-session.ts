/**
 * An epoch of one of several processes that share a feeder. Who holds the lock feeds: it reads the log and tells the others.
 * The others follow, and one of them takes its place when it is gone.
 */
import { Failure, SessionClosed } from '../../epoch-end.ts'
import { type Connection, Connections } from '../connect.ts'
import type { Coverage } from '../coverage.ts'
import type { FeedSettings } from '../options.ts'
import type { ParsedPosition } from '../position.ts'
import { ReplicationSession } from '../replication-session.ts'
import type { Session, SessionFacts, SessionHost } from '../session.ts'
import type { Watches } from '../watches.ts'
import { Feeder } from './feeder.ts'
import { FeederLock } from './feeder-lock.ts'
import { BecomesFeeder, FollowerSession } from './follower-session.ts'
import { Line } from './line.ts'

/** So that a machine that is gone without a word holds the lock for seconds, and not for hours. */
const NOTICE_LOSS_SQL = 'SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3'

const NOTHING: SessionFacts = {
  server: undefined,
  slot: undefined,
  role: undefined,
  commits: 0,
  changes: 0,
  queries: 0,
}

export class RelaySession implements Session {
  private readonly settings: FeedSettings
  private readonly host: SessionHost
  private readonly coverage: Coverage
  private readonly watches: Watches
  private readonly failure = new Failure()
  private readonly connections: Connections
  private readonly line: Line
  private inner: Session | undefined
  private feeder: Feeder | undefined

  constructor(settings: FeedSettings, host: SessionHost, coverage: Coverage, watches: Watches) {
    this.settings = settings
    this.host = host
    this.coverage = coverage
    this.watches = watches
    this.connections = new Connections(settings, this.failure.raise)
    this.line = new Line(settings.relay!.bus, settings.relay!.name, settings.logger)
  }

  get freshAsOfMs(): number {
    return this.inner?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  get position(): ParsedPosition | undefined {
    return this.inner?.position
  }

  get facts(): SessionFacts {
    return this.inner?.facts ?? NOTHING
  }

  reached(position: ParsedPosition): Promise<boolean> {
    return this.inner?.reached(position) ?? Promise.resolve(false)
  }

  now(): Promise<ParsedPosition> {
    return this.inner?.now() ?? Promise.reject(new SessionClosed())
  }

  unsettledTags(): (readonly string[])[] {
    return this.inner?.unsettledTags() ?? []
  }

  settled(): Promise<void> {
    return this.inner?.settled() ?? Promise.resolve()
  }

  bind(table: string | undefined, tag: string): void {
    this.inner?.bind(table, tag)
  }

  forgot(tags: readonly string[]): void {
    this.feeder?.voided(tags)
  }

  async run(): Promise<never> {
    try {
      return await Promise.race([this.takeTurns(), this.failure.promise])
    } finally {
      this.failure.raise(new SessionClosed())
      this.feeder?.end()
      void this.inner?.close()
      this.connections.cut()
    }
  }

  async close(): Promise<void> {
    this.feeder?.end()
    await this.inner?.close()
    this.failure.raise(new SessionClosed())
  }

  private async takeTurns(): Promise<never> {
    const control = await this.connections.connect()
    await control.query(NOTICE_LOSS_SQL)
    const { name, feeds } = this.settings.relay!
    const lock = feeds ? new FeederLock(control, name) : undefined
    for (;;) {
      const isFeeder = (await lock?.tryTake()) ?? false
      this.inner = isFeeder ? this.feeding() : this.following(control, lock)
      const error = await this.inner.run().catch((cause: unknown) => cause as Error)
      this.feeder?.end()
      if (!(error instanceof BecomesFeeder)) throw error
    }
  }

  private feeding(): Session {
    this.feeder = new Feeder(this.line, this.watches)
    return new ReplicationSession(this.settings, this.host, this.coverage, this.watches, this.feeder)
  }

  private following(control: Connection, lock: FeederLock | undefined): Session {
    const { settings, host, coverage, watches, line } = this
    return new FollowerSession({ settings, host, coverage, watches, control, line, ...(lock && { lock }) })
  }
}
