/**
 * A database, a feeder and followers in one process, on a clock that a test drives: commits are announced before they are visible, in
 * the log's order, and become visible in any; the bus loses, repeats and swaps what it is told to. The follower is the real
 * feed over a made-up client; of the feeder all is real but the stream that it reads.
 */
import type { Bus, BusMessage, BusReceiver } from '../../../core/bus.ts'
import type { Clock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import type { Random } from '../../../core/random.ts'
import type { PgModule } from '../client.ts'
import { formatLsn, type Lsn } from '../lsn.ts'
import { resolveOptions } from '../options.ts'
import type { ServerInfo } from '../server-info.ts'
import { Visibility } from '../visibility.ts'
import { Watches } from '../watches.ts'
import { Feeder } from './feeder.ts'
import { Line } from './line.ts'

export const TABLE = { schema: 'public', table: 'rows' }
export const SYSTEM_ID = '77'

interface LoggedCommit {
  readonly xid: number
  readonly row: number
  readonly lsn: Lsn
}

/** Rows with versions, a log, and transactions that are in it and that nobody sees yet. */
export class FakePrimary {
  lsn: Lsn = 1000n
  timeline = 1
  readonly log: LoggedCommit[] = []
  readonly invisible = new Map<number, LoggedCommit>()
  readonly visible = new Map<number, number>()
  /** When each version of a row became visible. */
  readonly visibleAtMs = new Map<number, number[]>()
  /** Whether the lock of the feeder is free. */
  lockIsFree = false
  /** How often somebody asked for what a feeder needs. */
  publicationQueries = 0
  private readonly clock: Clock
  private readonly delayMs: () => number
  private xid = 100

  /** @param delayMs how long the way to the server takes, each time */
  constructor(clock: Clock, delayMs: () => number = () => 0) {
    this.clock = clock
    this.delayMs = delayMs
  }

  /** On disk, in the log, and not visible. */
  commit(row: number): LoggedCommit {
    this.lsn += 16n
    const commit = { xid: this.xid++, row, lsn: this.lsn }
    this.log.push(commit)
    this.invisible.set(commit.xid, commit)
    return commit
  }

  /** Readers see it from now on. */
  show(xid: number): void {
    const commit = this.invisible.get(xid)
    if (!commit) return
    this.invisible.delete(xid)
    this.visible.set(commit.row, this.read(commit.row) + 1)
    const times = this.visibleAtMs.get(commit.row) ?? []
    times.push(this.clock.monotonic())
    this.visibleAtMs.set(commit.row, times)
  }

  read(row: number): number {
    return this.visible.get(row) ?? 0
  }

  /** What a loader sees: one snapshot, somewhere between its question and its answer. */
  async load<T>(look: () => T): Promise<T> {
    await this.travel()
    const seen = look()
    await this.travel()
    return seen
  }

  async answer(text: string): Promise<{ rows: unknown[] }> {
    if (text.includes('pg_publication')) this.publicationQueries++
    return { rows: await this.load(() => this.rowsOf(text)) }
  }

  /** `pg`, as far as a follower uses it. */
  get client(): PgModule {
    const answer = (text: string): Promise<{ rows: unknown[] }> => this.answer(text)
    return class {
      readonly connection = { on() {}, once() {}, stream: { destroy() {} } }
      async connect(): Promise<void> {}
      async end(): Promise<void> {}
      on(): void {}
      query(query: string | { text: string }): Promise<{ rows: unknown[] }> {
        return answer(typeof query === 'string' ? query : query.text)
      }
    } as unknown as PgModule
  }

  get info(): ServerInfo {
    return {
      systemId: SYSTEM_ID,
      timeline: this.timeline,
      version: 180_000,
      versionText: '18.0',
      walLevel: 'logical',
      synchronousCommit: 'on',
      segmentBytes: 16_777_216n,
      user: 'app',
    }
  }

  private travel(): Promise<void> {
    const delayMs = this.delayMs()
    if (delayMs === 0) return Promise.resolve()
    return new Promise((resolve) => this.clock.after(delayMs, resolve))
  }

  private rowsOf(text: string): unknown[] {
    if (text.includes('AS snapshot')) return [{ snapshot: this.snapshot(), lsn: formatLsn(this.lsn) }]
    if (text.includes('pg_try_advisory_lock')) return [{ taken: String(this.lockIsFree) }]
    if (text.includes('system_identifier')) return [INFO_ROW]
    return text.includes('AS timeline') ? [{ timeline: this.timeline.toString(16).padStart(8, '0') }] : []
  }

  private snapshot(): string {
    const running = [...this.invisible.keys()].toSorted((one, other) => one - other)
    return `${running[0] ?? this.xid}:${this.xid}:${running.join(',')}`
  }
}

const INFO_ROW = {
  system_id: SYSTEM_ID,
  standby: 'false',
  version: '180000',
  version_text: '18.0',
  wal_level: 'logical',
  synchronous_commit: 'on',
  segment_bytes: '16777216',
  user: 'app',
}

/** In which of three groups a row is: what queries of a group watch. */
export const groupOf = (row: number): string => String(row % 3)

/** A process that feeds: it reads the log when it is told to. */
export class FakeFeeder {
  readonly watches: Watches
  private readonly primary: FakePrimary
  private readonly visibility: Visibility
  private readonly feeder: Feeder
  private at: number

  constructor(primary: FakePrimary, bus: Bus, clock: Clock) {
    this.primary = primary
    this.at = primary.log.length
    this.watches = new Watches({ isNew() {}, forgotten: (tags) => this.feeder.voided(tags) })
    this.feeder = new Feeder(new Line(bus, 'millpond', silentLogger), this.watches)
    this.visibility = new Visibility({
      settings: resolveOptions({ tables: [TABLE], clock }),
      server: primary.info,
      control: { query: (query) => primary.answer(typeof query === 'string' ? query : query.text) },
      host: { begin() {}, invalidate() {}, settle() {}, progress() {}, waiting() {} },
      facts: { server: primary.info, slot: 's', role: 'feeder', commits: 0, changes: 0, queries: 0 },
      startLsn: primary.lsn,
      ping: () => {},
      failed() {},
    })
    const tables = () => [{ ...TABLE, key: ['id'] }] as never
    this.feeder.began({ server: primary.info, visibility: this.visibility, tables, ping: () => this.keepalive() })
    this.visibility.start()
  }

  /** Reads the next commit of the log. Returns whether there was one. */
  readOne(): boolean {
    const next = this.primary.log[this.at]
    if (!next) return false
    this.at++
    const { xid, row, lsn } = next
    const watched = [...this.watches.of('rows')].map((watch) => watch.valuesTag([groupOf(row)]))
    const commit = { xid, tags: ['rows', `rows:${row}`, ...watched], commitLsn: lsn, endLsn: lsn }
    this.visibility.announced(commit)
    this.feeder.commit(commit)
    this.advance(lsn)
    return true
  }

  readAll(): void {
    while (this.readOne());
  }

  /** The server says how far it has sent. */
  keepalive(): void {
    if (this.at === this.primary.log.length) this.advance(this.primary.lsn)
  }

  /** Ends without a word, as a process that is killed. */
  kill(): void {
    this.visibility.end()
    Object.assign(this.feeder, { isEnded: true })
  }

  /** Ends in order. */
  end(): void {
    this.visibility.end()
    this.feeder.end()
  }

  private advance(lsn: Lsn): void {
    this.visibility.advance(lsn)
    this.feeder.advanced(lsn)
  }
}

/** What a bus may do to a message: nothing, lose it, bring it twice, or behind the next one. */
export type Fate = 'whole' | 'lost' | 'twice' | 'behind'

/** A bus that does to each message what it is told to. */
export class FaultyBusHub {
  private readonly receivers = new Map<object, BusReceiver>()
  private readonly fate: (message: BusMessage) => Fate
  private readonly delivered: () => void
  private held: { from: object; message: BusMessage }[] = []

  /** @param delivered called in the same moment in which a message was heard */
  constructor(fate: (message: BusMessage) => Fate = () => 'whole', delivered: () => void = () => {}) {
    this.fate = fate
    this.delivered = delivered
  }

  /** An end for one process. */
  connect(): Bus {
    const end = {}
    return {
      publish: async (message) => {
        await Promise.resolve()
        this.pass(end, message)
      },
      subscribe: (receiver) => {
        this.receivers.set(end, receiver)
        return () => void this.receivers.delete(end)
      },
      close: async () => {},
    }
  }

  /** Tells everybody that messages may have been lost. */
  gap(): void {
    for (const receiver of this.receivers.values()) receiver.gap()
  }

  private pass(from: object, message: BusMessage): void {
    const fate = this.fate(message)
    if (fate === 'behind') {
      this.held.push({ from, message })
      return
    }
    const copies = fate === 'lost' ? 0 : fate === 'twice' ? 2 : 1
    for (let copy = 0; copy < copies; copy++) this.deliver(from, message)
    for (const late of this.held.splice(0)) this.deliver(late.from, late.message)
  }

  private deliver(from: object, message: BusMessage): void {
    for (const [end, receiver] of this.receivers) if (end !== from) receiver.message(message)
    this.delivered()
  }
}

/** Faults of the telling side with these chances, the rest split between the others; what is asked is lost more often. */
export function randomFates(random: Random, chance: number): (message: BusMessage) => Fate {
  return ({ cache }) => {
    const drawn = random() / (cache.includes('asks') ? 10 : 1)
    if (drawn < chance) return 'lost'
    if (drawn < chance * 2) return 'behind'
    return drawn < 0.2 ? 'twice' : 'whole'
  }
}
