/**
 * An epoch that reads the log: two connections to the primary, one that streams the changes (the walsender) and an
 * ordinary one that asks what is visible (control). Whatever is not understood, on either, ends the epoch.
 */
import type { Timer } from '../../core/clock.ts'
import { Failure, SessionClosed } from '../epoch-end.ts'
import type { Catalog, CatalogTable } from './catalog.ts'
import { CatalogWatch } from './catalog-watch.ts'
import { type Connection, Connections, firstRow, sqlState } from './connect.ts'
import { type Coverage, coveredTables } from './coverage.ts'
import { formatLsn, type Lsn } from './lsn.ts'
import type { FeedSettings } from './options.ts'
import { PgoutputDecoder } from './pgoutput.ts'
import { ProvenSession } from './proven-session.ts'
import { preparePublication, unpublished } from './publication.ts'
import { keptSlot, notPermitted, type Slot, type SlotContext, temporarySlot } from './replication-slot.ts'
import { ReplicationStream } from './replication-stream.ts'
import { RowTags } from './row-tags.ts'
import { type ServerInfo, serverInfo } from './server-info.ts'
import type { Session, SessionFacts, SessionHost, SessionTap } from './session.ts'
import { quoteName } from './tags.ts'
import { type Commit, Transactions } from './transactions.ts'
import { Visibility } from './visibility.ts'
import type { Watches } from './watches.ts'

/** How long the slot may take before the transactions that block it are named. */
const PATIENCE_MS = 500
/** When the stream has answered and still lags: how long until it is asked again. */
const PING_AGAIN_MS = 5
const CLOSE_MS = 1000
const NOT_PERMITTED = '42501'
/** The server begins to stream a transaction when its changes take so much memory: by default 64 MB. */
const STREAM_EARLY_SQL = `SELECT set_config(name, least(setting::int, 1024)::text, false) FROM pg_settings
  WHERE name = 'logical_decoding_work_mem'`

export class ReplicationSession extends ProvenSession implements Session {
  readonly facts: SessionFacts
  private readonly settings: FeedSettings
  private readonly host: SessionHost
  private readonly coverage: Coverage
  private readonly watches: Watches
  private readonly tap: SessionTap | undefined
  private readonly failure = new Failure()
  private walsenderPid: number | undefined
  private leaving = false
  private closing: Promise<void> | undefined
  private readonly connections: Connections
  private control!: Connection
  private walsender!: Connection
  private stream: ReplicationStream | undefined
  private catalogWatch: CatalogWatch | undefined
  private rowTags!: RowTags
  private transactions!: Transactions
  private pingTimer: Timer | undefined

  constructor(settings: FeedSettings, host: SessionHost, coverage: Coverage, watches: Watches, tap?: SessionTap) {
    super()
    const role = tap && 'feeder'
    this.facts = { server: undefined, slot: undefined, role, commits: 0, changes: 0, queries: 0 }
    this.tap = tap
    this.settings = settings
    this.host = host
    this.coverage = coverage
    this.watches = watches
    this.connections = new Connections(settings, this.fail)
  }

  bind(table: string | undefined, tag: string): void {
    this.visibility?.bind(table, tag)
  }

  forgot(tags: readonly string[]): void {
    this.tap?.voided(tags)
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
    if (this.leaving) return
    // From this moment on nothing is proven, whatever else the stream brings.
    this.visibility?.end()
    this.failure.raise(error)
  }

  private async start(): Promise<void> {
    const { settings } = this
    this.control = await this.connections.connect()
    const server = await serverInfo(this.control)
    this.facts.server = server
    const { catalog, altered } = await preparePublication(this.control, settings, server)
    this.coverage.learn(coveredTables(catalog, settings.tables))
    this.walsender = await this.connectWalsender(server)
    const slot = await this.openSlot(altered)
    this.facts.slot = slot.name
    this.host.begin()
    this.rowTags = new RowTags(catalog, this.coverage, this.watches)
    this.catalogWatch = this.watchCatalog(catalog)
    this.visibility = this.watchVisibility(slot, server)
    this.tapInto(server, this.visibility)
    await this.startStream(slot, server)
    if (!slot.created) await this.checkSameServer(slot)
    this.visibility.start()
  }

  private tapInto(server: ServerInfo, visibility: Visibility): void {
    const tables = (): CatalogTable[] => coveredTables(this.catalogWatch!.catalog, this.settings.tables)
    this.tap?.began({ server, visibility, tables, ping: () => this.ping() })
  }

  /** Ends the stream politely, so that the temporary slot is dropped before we say that we are closed. */
  private async leave(): Promise<void> {
    if (!this.stream) {
      await this.abandonSlot()
      return
    }
    this.visibility?.stop()
    this.ping()
    const { stream } = this
    this.stream = undefined
    await stream.stop()
    // The server closes its end once it has dropped the temporary slot.
    await Promise.all([this.walsender.client.end(), this.control.client.end()])
  }

  /** A backend that waits for other transactions does not notice that we have gone: it has to be ended. */
  private async abandonSlot(): Promise<void> {
    if (this.walsenderPid !== undefined) await this.control.query(`SELECT pg_terminate_backend(${this.walsenderPid})`)
  }

  private tearDown(): void {
    this.visibility?.end()
    this.pingTimer?.cancel()
    this.catalogWatch?.stop()
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

  private async openSlot(publicationAltered: boolean): Promise<Slot> {
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
    if (settings.slot === undefined) return temporarySlot(context, settings.random)
    return keptSlot(context, settings.slot, publicationAltered)
  }

  private watchVisibility(slot: Slot, server: ServerInfo): Visibility {
    const { settings, control, host, facts } = this
    const ping = (): void => this.ping()
    return new Visibility({ settings, server, control, host, facts, startLsn: slot.startLsn, ping, failed: this.fail })
  }

  private async startStream(slot: Slot, server: ServerInfo): Promise<void> {
    this.transactions = new Transactions({
      rowTags: this.rowTags,
      rowTagsMax: this.settings.rowTagsMax,
      watches: this.watches,
      onCommit: (commit) => this.onCommit(commit),
      onShape: () => this.catalogWatch?.look(),
    })
    const decoder = new PgoutputDecoder(this.transactions)
    this.stream = new ReplicationStream(this.walsender)
    const streams = server.version >= 140_000
    // What is large comes while it runs, instead of all at once behind its commit.
    if (streams) await this.walsender.query(STREAM_EARLY_SQL)
    const protocol = streams ? "proto_version '2', streaming 'on'" : "proto_version '1'"
    const publication = `publication_names '${quoteName(this.settings.publication).replaceAll("'", "''")}'`
    const command = `START_REPLICATION SLOT "${slot.name}" LOGICAL ${formatLsn(slot.startLsn)} (${protocol}, ${publication})`
    await this.stream.start(command, {
      data: (buffer, at) => {
        this.visibility!.heard()
        decoder.decode(buffer, at)
      },
      keepalive: (lsn, asked) => this.onKeepalive(lsn, asked),
      failed: this.fail,
    })
  }

  /** A kept slot that this server does not have in use belongs to another server: the two connections have parted. */
  private async checkSameServer(slot: Slot): Promise<void> {
    const { active } = await firstRow(
      this.control,
      `SELECT active::text FROM pg_replication_slots WHERE slot_name = '${slot.name}'`,
    )
    if (active !== 'true') throw new Error('the two connections of the feed lead to different servers')
  }

  private onCommit(commit: Commit): void {
    this.facts.changes = this.transactions.changes
    if (commit.tags.length > 0) {
      this.facts.commits++
      this.visibility!.announced(commit)
      this.tap?.commit(commit)
    }
    this.advance(commit.endLsn)
  }

  private advance(lsn: Lsn): void {
    this.visibility!.advance(lsn)
    this.tap?.advanced(lsn)
  }

  private onKeepalive(lsn: Lsn, asked: boolean): void {
    this.visibility!.heard()
    // Inside a transaction the position may not pass for done: its commit is still to come.
    if (!this.transactions.inside) this.advance(lsn)
    if (asked) this.ping()
    else if (this.visibility!.watermark.waitingSinceMs !== undefined) this.pingSoon()
  }

  protected ping(): void {
    if (!this.visibility) return
    const { position: lsn } = this.visibility.watermark
    // A temporary slot ends with us, so nothing has to be kept for later; a kept one starts again at what is settled.
    const settled = this.settings.slot === undefined ? lsn : this.visibility.unsettled.settledUpTo(lsn)
    this.stream?.ping(lsn, settled, this.settings.clock.wall())
  }

  private pingSoon(): void {
    this.pingTimer ??= this.settings.clock.after(PING_AGAIN_MS, () => {
      this.pingTimer = undefined
      if (this.visibility!.watermark.waitingSinceMs !== undefined) this.ping()
    })
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

  private onCatalog(catalog: Catalog, changed: readonly string[]): void {
    this.rowTags.update(catalog)
    if (changed.length === 0) return
    const tags = this.watches.withAny([...changed])
    this.host.invalidate(tags)
    this.host.settle(tags)
    this.tap?.covers(coveredTables(catalog, this.settings.tables))
    this.tap?.voided(tags)
  }
}
