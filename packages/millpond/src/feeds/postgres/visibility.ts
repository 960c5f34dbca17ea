/**
 * What the feed knows of one epoch: how far it has read, which commits are not visible yet, and as of when nothing is
 * missing. It asks the server over the control connection and is told by the stream.
 *
 * Why both: the stream says what was committed, in order, and sometimes before readers can see it; only a snapshot
 * says what they see. And the stream is silent about its own lateness; only a position that was read elsewhere, and
 * that the stream then reaches, proves that nothing before it is missing.
 */

import { Settler } from '../settler.ts'
import { Watermark } from '../watermark.ts'
import { type Asking, sqlState } from './connect.ts'
import { beforePageHeader, type Lsn, parseLsn } from './lsn.ts'
import type { FeedSettings } from './options.ts'
import type { ServerInfo } from './server-info.ts'
import type { SessionFacts, SessionHost } from './session.ts'
import { parseSnapshot } from './snapshot.ts'
import type { Commit } from './transactions.ts'
import { UnsettledCommits } from './unsettled.ts'

export interface VisibilityOptions {
  readonly settings: FeedSettings
  readonly server: ServerInfo
  readonly control: Asking
  readonly host: SessionHost
  readonly facts: SessionFacts
  readonly startLsn: Lsn
  /** Asks the stream how far it is. */
  readonly ping: () => void
  readonly failed: (error: Error) => void
  /** Whether it commits something small where a proof is late: see `flushLate`. Default true; where another process does, false. */
  readonly flushesLate?: boolean
}

export class Visibility {
  readonly unsettled: UnsettledCommits = new UnsettledCommits()
  readonly watermark: Watermark
  private readonly options: VisibilityOptions
  private readonly settler: Settler
  private readonly byInsert: boolean
  private mayFlush = true
  private isAwaited = false
  /** When the stream last said something. */
  private heardAtMs: number

  constructor(options: VisibilityOptions) {
    this.options = options
    this.watermark = new Watermark(options.startLsn)
    const { settings, server, failed } = options
    const { clock, heartbeatMs, stallTimeoutMs } = settings
    this.heardAtMs = clock.monotonic()
    // Asynchronous commits are visible before they are on disk: only the insert position covers what readers see.
    this.byInsert = (settings.lsn ?? (server.synchronousCommit === 'off' ? 'insert' : 'flush')) === 'insert'
    this.settler = new Settler({ clock, heartbeatMs, stallTimeoutMs, ask: (askedAtMs) => this.ask(askedAtMs), failed })
  }

  /** Asks now, and from then on as often as needed. */
  start(): void {
    this.settler.request()
  }

  stop(): void {
    this.settler.stop()
  }

  end(): void {
    this.stop()
    this.watermark.end()
    this.unsettled.clear()
  }

  /** The stream is alive. */
  heard(): void {
    this.heardAtMs = this.options.settings.clock.monotonic()
  }

  announced({ xid, tags }: Commit): void {
    this.unsettled.add(xid, tags, this.watermark.position)
    this.options.host.invalidate(tags)
    this.settler.request()
  }

  /** A tag that is new binds as the table does: commits of the table that may not be visible yet concern it too. */
  bind(table: string | undefined, tag: string): void {
    for (const added of this.unsettled.extend(table, tag)) this.options.host.invalidate([added])
  }

  /** The stream has told everything before `lsn`. */
  advance(lsn: Lsn): void {
    this.withProgress(() => this.watermark.advance(lsn))
  }

  /** A position that covers everything visible now. */
  async present(): Promise<Lsn> {
    const row = (await this.options.control.query(this.byInsert ? ASK_INSERT : ASK_FLUSH)).rows[0] as { lsn: string }
    return this.cover(parseLsn(row.lsn)!)
  }

  /** As the watermark's. Who waits for an asynchronous commit does not wait until a proof is late: see `flushLate`. */
  reached(lsn: Lsn): Promise<boolean> {
    if (this.byInsert && lsn > this.watermark.position) {
      this.isAwaited = true
      this.settler.request()
    }
    return this.watermark.reached(lsn)
  }

  private cover(lsn: Lsn): Lsn {
    return this.byInsert ? beforePageHeader(lsn, this.options.server.segmentBytes) : lsn
  }

  private async ask(askedAtMs: number): Promise<boolean> {
    this.checkHeard(askedAtMs)
    await this.flushLate(askedAtMs)
    this.options.facts.queries++
    const { rows } = await this.options.control.query(this.byInsert ? ASK_INSERT : ASK_FLUSH)
    const row = rows[0] as { snapshot: string; lsn: string }
    for (const tags of this.unsettled.take(parseSnapshot(row.snapshot))) this.options.host.settle(tags)
    const covered = this.cover(parseLsn(row.lsn)!)
    this.withProgress(() => this.watermark.expect(askedAtMs, covered))
    this.options.ping()
    return this.unsettled.size > 0
  }

  private withProgress(step: () => void): void {
    const { freshAsOfMs } = this.watermark
    step()
    if (this.watermark.freshAsOfMs > freshAsOfMs) this.options.host.progress()
  }

  /**
   * The stream carries only whole records that are on disk. The position that we wait for may lie behind that, until
   * somebody commits or the log writer has its turn (200 ms and more): an own small commit brings it forward.
   */
  private async flushLate(nowMs: number): Promise<void> {
    const { waitingSinceMs } = this.watermark
    const { settings, control, flushesLate = true } = this.options
    const isLate = flushesLate && waitingSinceMs !== undefined && nowMs - waitingSinceMs >= settings.heartbeatMs / 2
    if (!this.mayFlush || !(isLate || this.isAwaited)) return
    this.isAwaited = false
    await control.query(FLUSH_SQL).catch((error: unknown) => {
      if (sqlState(error) === undefined) throw error
      // The role may not: then it takes the log writer's time.
      this.mayFlush = false
    })
  }

  /** The control connection answers and the stream is silent: half of the feed is lost. */
  private checkHeard(nowMs: number): void {
    const { waitingSinceMs } = this.watermark
    if (waitingSinceMs === undefined) return
    const silentMs = nowMs - Math.max(waitingSinceMs, this.heardAtMs)
    if (silentMs <= this.options.settings.stallTimeoutMs) return
    throw new Error(`the replication stream was silent for ${Math.round(silentMs)} ms`)
  }
}

const FLUSH_SQL = "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'millpond', '')"

const question = (lsn: string): { name: string; text: string } => ({
  name: `millpond_settle_${lsn}`,
  text: `SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_${lsn}_lsn()::text AS lsn`,
})

const ASK_FLUSH = question('flush')
const ASK_INSERT = question('insert')
