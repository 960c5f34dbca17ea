/**
 * An epoch that reads the log: two connections to the primary, one that streams the changes (the walsender) and an
 * ordinary one that asks what is visible (control).
 *
 * How it stays right, in the words of DESIGN.md beside this file: a commit is told (`invalidate`) when it is announced
 * and settled when a snapshot taken later sees it; freshness is proven by a position that was read after the moment in
 * question and that the stream has reached; anything that is not understood ends the epoch.
 */
import type { Timer } from '../../core/clock.ts'
import type { Catalog } from './catalog.ts'
import { CatalogWatch } from './catalog-watch.ts'
import { type Connection, Connections, firstRow, sqlState } from './connect.ts'
import { type Coverage, coveredTables } from './coverage.ts'
import { beforePageHeader, formatLsn, type Lsn, parseLsn } from './lsn.ts'
import type { FeedSettings } from './options.ts'
import { PgoutputDecoder } from './pgoutput.ts'
import type { ParsedPosition } from './position.ts'
import { preparePublication, unpublished } from './publication.ts'
import { keptSlot, notPermitted, type Slot, type SlotContext, temporarySlot } from './replication-slot.ts'
import { ReplicationStream } from './replication-stream.ts'
import { RowTags } from './row-tags.ts'
import { type ServerInfo, serverInfo } from './server-info.ts'
import { Failure, type Session, SessionClosed, type SessionFacts, type SessionHost } from './session.ts'
import { Settler } from './settler.ts'
import { parseSnapshot } from './snapshot.ts'
import { quoteName } from './tags.ts'
import { type Commit, Transactions } from './transactions.ts'
import { UnsettledCommits } from './unsettled.ts'
import { Watermark } from './watermark.ts'

/** How long the slot may take before the transactions that block it are named. */
const PATIENCE_MS = 500
/** When the stream has answered and still lags: how long until it is asked again. */
const PING_AGAIN_MS = 5
const CLOSE_MS = 1000
const NOT_PERMITTED = '42501'

export class ReplicationSession implements Session {
  readonly facts: SessionFacts = { server: undefined, slot: undefined, commits: 0, changes: 0, queries: 0 }
  private readonly settings: FeedSettings
  private readonly host: SessionHost
  private readonly coverage: Coverage
  private readonly failure = new Failure()
  private walsenderPid: number | undefined
  private leaving = false
  private closing: Promise<void> | undefined
  private readonly connections: Connections
  private readonly unsettled = new UnsettledCommits()
  private control!: Connection
  private walsender!: Connection
  private stream: ReplicationStream | undefined
  private settler: Settler | undefined
  private watermark: Watermark | undefined
  private catalogWatch: CatalogWatch | undefined
  private rowTags!: RowTags
  private transactions!: Transactions
  private heardAtMs = 0
  private pingTimer: Timer | undefined

  constructor(settings: FeedSettings, host: SessionHost, coverage: Coverage) {
    this.settings = settings
    this.host = host
    this.coverage = coverage
    this.connections = new Connections(settings, this.fail)
  }

  get freshAsOfMs(): number {
    return this.watermark?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  get position(): ParsedPosition | undefined {
    const { server } = this.facts
    if (!server || !this.watermark || this.freshAsOfMs === Number.NEGATIVE_INFINITY) return undefined
    return { systemId: server.systemId, timeline: server.timeline, lsn: this.watermark.lsn }
  }

  reached({ lsn }: ParsedPosition): Promise<boolean> {
    if (!this.watermark) return Promise.resolve(false)
    const reached = this.watermark.reached(lsn)
    this.ping()
    return reached
  }

  unsettledTags(): (readonly string[])[] {
    return this.unsettled.tags()
  }

  settled(): Promise<void> {
    return this.unsettled.settled()
  }

  async run(): Promise<never> {
    try {
      await Promise.race([this.start(), this.failure.promise])
      return await this.failure.promise
    } finally {
      this.tearDown()
    }
  }

  close(): Promise<void> {
    this.closing ??= this.leaveInTime()
    return this.closing
  }

  /** A server that does not answer the farewell is left without it: it drops the slot when it notices. */
  private async leaveInTime(): Promise<void> {
    this.leaving = true
    let timer: Timer | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.settings.clock.after(CLOSE_MS, resolve)
    })
    await Promise.race([this.leave().catch(() => {}), late])
    timer?.cancel()
    this.leaving = false
    this.fail(new SessionClosed())
  }

  /** While we leave, connections end because we say so. */
  private readonly fail = (error: Error): void => {
    if (!this.leaving) this.failure.raise(error)
  }

  private async start(): Promise<void> {
    const { settings } = this
    this.control = await this.connections.connect()
    const server = await serverInfo(this.control)
    this.facts.server = server
    const catalog = await preparePublication(this.control, settings, server)
    this.coverage.learn(coveredTables(catalog, settings.tables))
    this.walsender = await this.connectWalsender(server)
    const slot = await this.openSlot()
    this.facts.slot = slot.name
    this.host.begin()
    this.rowTags = new RowTags(catalog, this.coverage)
    this.catalogWatch = this.watchCatalog(catalog)
    await this.startStream(slot, server)
    if (!slot.created) await this.checkSameServer(slot)
    this.startSettling()
  }

  /** Ends the stream politely, so that the temporary slot is dropped before we say that we are closed. */
  private async leave(): Promise<void> {
    if (!this.stream) {
      await this.abandonSlot()
      return
    }
    this.settler?.stop()
    this.stream.ping(this.watermark!.lsn, this.acknowledged(), this.settings.clock.wall())
    const { stream } = this
    this.stream = undefined
    await stream.stop()
    if (this.settings.slot === undefined) await this.walsender.query(`DROP_REPLICATION_SLOT "${this.facts.slot}"`)
    await Promise.all([this.walsender.client.end(), this.control.client.end()])
  }

  /** A backend that waits for other transactions does not notice that we have gone: it has to be ended. */
  private async abandonSlot(): Promise<void> {
    if (this.walsenderPid !== undefined) await this.control.query(`SELECT pg_terminate_backend(${this.walsenderPid})`)
  }

  private tearDown(): void {
    this.settler?.stop()
    this.pingTimer?.cancel()
    this.catalogWatch?.stop()
    this.watermark?.end()
    this.unsettled.clear()
    this.failure.raise(new SessionClosed())
    this.connections.cut()
  }

  private async connectWalsender(server: ServerInfo): Promise<Connection> {
    const walsender = await this.connections.connect({ replication: 'database' }).catch((cause: unknown) => {
      throw sqlState(cause) === NOT_PERMITTED ? notPermitted(cause) : cause
    })
    this.walsender = walsender
    const { systemid, timeline } = await firstRow(walsender, 'IDENTIFY_SYSTEM')
    if (systemid === server.systemId && Number(timeline) === server.timeline) return walsender
    throw new Error(
      'the two connections of the feed lead to different servers (a failover, or a name with several addresses)',
    )
  }

  private async openSlot(): Promise<Slot> {
    const { settings, walsender, control, host } = this
    const { pid } = await firstRow(walsender, 'SELECT pg_backend_pid()::text AS pid')
    this.walsenderPid = Number(pid)
    const waiting = (reason: string): void => host.waiting(reason)
    const context: SlotContext = {
      walsender,
      control,
      clock: settings.clock,
      patienceMs: PATIENCE_MS,
      walsenderPid: this.walsenderPid,
      waiting,
    }
    return settings.slot === undefined ? temporarySlot(context, settings.random) : keptSlot(context, settings.slot)
  }

  private async startStream(slot: Slot, server: ServerInfo): Promise<void> {
    this.watermark = new Watermark(slot.startLsn)
    this.transactions = new Transactions({
      rowTags: this.rowTags,
      rowTagsMax: this.settings.rowTagsMax,
      onCommit: (commit) => this.onCommit(commit),
      onShape: () => this.catalogWatch?.look(),
    })
    const decoder = new PgoutputDecoder(this.transactions)
    this.stream = new ReplicationStream(this.walsender)
    this.heardAtMs = this.settings.clock.monotonic()
    const protocol = server.version >= 140_000 ? "proto_version '2', streaming 'on'" : "proto_version '1'"
    const publication = `publication_names '${quoteName(this.settings.publication).replaceAll("'", "''")}'`
    const command = `START_REPLICATION SLOT "${slot.name}" LOGICAL ${formatLsn(slot.startLsn)} (${protocol}, ${publication})`
    const start = this.stream.start(command, {
      data: (buffer, at) => {
        this.heardAtMs = this.settings.clock.monotonic()
        decoder.decode(buffer, at)
      },
      keepalive: (lsn, asked) => this.onKeepalive(lsn, asked),
      failed: this.fail,
    })
    await start
  }

  /** A kept slot that this server does not have in use belongs to another server: the two connections have parted. */
  private async checkSameServer(slot: Slot): Promise<void> {
    const { active } = await firstRow(
      this.control,
      `SELECT active::text FROM pg_replication_slots WHERE slot_name = '${slot.name}'`,
    )
    if (active !== 'true') throw new Error('the two connections of the feed lead to different servers')
  }

  private onCommit({ xid, tags, endLsn }: Commit): void {
    const watermark = this.watermark!
    this.facts.changes = this.transactions.changes
    if (tags.length > 0) {
      this.facts.commits++
      this.unsettled.add(xid, tags, watermark.lsn)
      this.host.invalidate(tags)
      this.settler?.request()
    }
    this.advance(endLsn)
  }

  private onKeepalive(lsn: Lsn, asked: boolean): void {
    this.heardAtMs = this.settings.clock.monotonic()
    // Inside a transaction the position may not pass for done: its commit is still to come.
    if (!this.transactions.inside) this.advance(lsn)
    if (asked) this.ping()
    else if (this.watermark!.waitingSinceMs !== undefined) this.pingSoon()
  }

  private advance(lsn: Lsn): void {
    const { freshAsOfMs } = this
    this.watermark!.advance(lsn)
    if (this.freshAsOfMs > freshAsOfMs) this.host.progress()
  }

  private ping(): void {
    this.stream?.ping(this.watermark!.lsn, this.acknowledged(), this.settings.clock.wall())
  }

  /** A temporary slot ends with us, so nothing has to be kept for later; a kept one starts again at what is settled. */
  private acknowledged(): Lsn {
    const { lsn } = this.watermark!
    return this.settings.slot === undefined ? lsn : this.unsettled.settledUpTo(lsn)
  }

  private pingSoon(): void {
    this.pingTimer ??= this.settings.clock.after(PING_AGAIN_MS, () => {
      this.pingTimer = undefined
      if (this.watermark!.waitingSinceMs !== undefined) this.ping()
    })
  }

  private startSettling(): void {
    const { clock, heartbeatMs, stallTimeoutMs } = this.settings
    const ask = (askedAtMs: number): Promise<boolean> => this.ask(askedAtMs)
    this.settler = new Settler({ clock, heartbeatMs, stallTimeoutMs, ask, failed: this.fail })
    this.settler.request()
  }

  private async ask(askedAtMs: number): Promise<boolean> {
    this.checkHeard(askedAtMs)
    const insert = this.byInsertPosition()
    const before = this.watermark!.waitingSinceMs
    if (insert && before !== undefined) await this.flush()
    this.facts.queries++
    const { rows } = await this.control.query(insert ? SETTLE_BY_INSERT : SETTLE_BY_FLUSH)
    const row = rows[0] as { snapshot: string; lsn: string }
    for (const tags of this.unsettled.take(parseSnapshot(row.snapshot))) this.host.settle(tags)
    const lsn = parseLsn(row.lsn)!
    const { freshAsOfMs } = this
    this.watermark!.expect(askedAtMs, insert ? beforePageHeader(lsn, this.facts.server!.segmentBytes) : lsn)
    if (this.freshAsOfMs > freshAsOfMs) this.host.progress()
    this.ping()
    return this.unsettled.size > 0
  }

  /** Asynchronous commits are visible before they are on disk: then only the insert position covers what readers see. */
  private byInsertPosition(): boolean {
    return (this.settings.lsn ?? (this.facts.server!.synchronousCommit === 'off' ? 'insert' : 'flush')) === 'insert'
  }

  /** The stream carries only what is on disk. An own small commit brings that forward, instead of the log writer's turn. */
  private async flush(): Promise<void> {
    await this.control.query("SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'millpond', '')")
  }

  /** The control connection answers and the stream is silent: half of the feed is lost. */
  private checkHeard(nowMs: number): void {
    const { waitingSinceMs } = this.watermark!
    if (waitingSinceMs === undefined) return
    const silentMs = nowMs - Math.max(waitingSinceMs, this.heardAtMs)
    if (silentMs > this.settings.stallTimeoutMs)
      throw new Error(`the replication stream was silent for ${Math.round(silentMs)} ms`)
  }

  private watchCatalog(catalog: Catalog): CatalogWatch {
    const { clock, tables, publication } = this.settings
    return new CatalogWatch(catalog, {
      clock,
      client: this.control,
      tables,
      publication,
      coverage: this.coverage,
      lost: (read, covered) => unpublished(read, covered)[0],
      changed: (read, tags) => this.onCatalog(read, tags),
      failed: this.fail,
    })
  }

  private onCatalog(catalog: Catalog, tags: readonly string[]): void {
    this.rowTags.update(catalog)
    if (tags.length === 0) return
    this.host.invalidate(tags)
    this.host.settle(tags)
  }
}

const settleQuery = (lsn: string): { name: string; text: string } => ({
  name: `millpond_settle_${lsn}`,
  text: `SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_${lsn}_lsn()::text AS lsn`,
})

const SETTLE_BY_FLUSH = settleQuery('flush')
const SETTLE_BY_INSERT = settleQuery('insert')
