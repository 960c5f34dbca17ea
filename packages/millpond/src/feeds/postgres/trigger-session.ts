/**
 * An epoch of mode `'triggers'`: one connection that listens. A notification comes after its commit is visible, so it
 * settles at once, and it says which table, not which row.
 *
 * Freshness is proven by notifying ourselves. PostgreSQL lets notifying transactions commit one at a time, each
 * visible before the next, and delivers their notifications in that order: when our own comes back, so has every
 * notification of a commit that was visible, or in the log, when we sent it.
 */
import { FeedError } from '../../core/errors.ts'
import { Failure, SessionClosed } from '../epoch-end.ts'
import { Settler } from '../settler.ts'
import { Watermark } from '../watermark.ts'
import { type Catalog, type CatalogTable, readCatalog } from './catalog.ts'
import { CatalogWatch } from './catalog-watch.ts'
import type { PgNotification } from './client.ts'
import { type Connection, Connections } from './connect.ts'
import { type Coverage, coveredTables } from './coverage.ts'
import { beforePageHeader, parseLsn } from './lsn.ts'
import { NOTIFY_CHANNEL, notifyTriggersSql } from './notify-triggers.ts'
import type { FeedSettings } from './options.ts'
import { type ParsedPosition, parsePosition, positionOf } from './position.ts'
import { checkTable } from './publication.ts'
import { serverInfo } from './server-info.ts'
import type { Session, SessionFacts, SessionHost } from './session.ts'
import { bulkTag, tableTag } from './tags.ts'
import type { Watches } from './watches.ts'

export class TriggerSession implements Session {
  readonly facts: SessionFacts = {
    server: undefined,
    slot: undefined,
    role: undefined,
    commits: 0,
    changes: 0,
    queries: 0,
  }
  private readonly settings: FeedSettings
  private readonly host: SessionHost
  private readonly coverage: Coverage
  private readonly watches: Watches
  private readonly failure = new Failure()
  private readonly connections: Connections
  private readonly watermark = new Watermark(0n)
  /** Our own channel: only we are woken by it. */
  private readonly channel: string
  private connection: Connection | undefined
  private catalogWatch: CatalogWatch | undefined
  private settler: Settler | undefined
  private heartbeats = 0
  private heard: (() => void) | undefined

  constructor(settings: FeedSettings, host: SessionHost, coverage: Coverage, watches: Watches) {
    this.settings = settings
    this.host = host
    this.coverage = coverage
    this.watches = watches
    this.connections = new Connections(settings, this.failure.raise)
    this.channel = `${NOTIFY_CHANNEL}_${Math.floor(settings.random() * 2 ** 52).toString(36)}`
  }

  get freshAsOfMs(): number {
    return this.watermark.freshAsOfMs
  }

  get position(): ParsedPosition | undefined {
    const { server } = this.facts
    if (!server || this.freshAsOfMs === Number.NEGATIVE_INFINITY) return undefined
    return { systemId: server.systemId, timeline: server.timeline, lsn: this.watermark.position }
  }

  reached({ lsn }: ParsedPosition): Promise<boolean> {
    const reached = this.watermark.reached(lsn)
    this.settler?.request()
    return reached
  }

  async now(): Promise<ParsedPosition> {
    if (!this.connection) throw new SessionClosed()
    return parsePosition(await positionOf(this.connection))!
  }

  unsettledTags(): (readonly string[])[] {
    return []
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }

  /** Notifications come when their commits are visible, and name whole tables. */
  bind(): void {}
  forgot(): void {}

  async run(): Promise<never> {
    try {
      await Promise.race([this.start(), this.failure.promise])
      return await this.failure.promise
    } finally {
      this.settler?.stop()
      this.catalogWatch?.stop()
      this.watermark.end()
      this.connections.cut()
    }
  }

  close(): Promise<void> {
    this.failure.raise(new SessionClosed())
    return Promise.resolve()
  }

  private async start(): Promise<void> {
    const connection = await this.connections.connect()
    this.connection = connection
    this.facts.server = await serverInfo(connection)
    const catalog = await this.checkedCatalog(connection)
    this.catalogWatch = this.watchCatalog(connection, catalog)
    connection.client.on('notification', (message: PgNotification) => this.onNotification(message))
    await connection.query(`SET synchronous_commit = off; LISTEN ${NOTIFY_CHANNEL}; LISTEN ${this.channel}`)
    this.host.begin()
    const { clock, heartbeatMs, stallTimeoutMs } = this.settings
    const ask = (askedAtMs: number): Promise<boolean> => this.ask(connection, askedAtMs)
    this.settler = new Settler({ clock, heartbeatMs, stallTimeoutMs, ask, failed: this.failure.raise })
    this.settler.request()
  }

  private async checkedCatalog(connection: Connection): Promise<Catalog> {
    const { tables } = this.settings
    const catalog = await readCatalog(connection, tables)
    for (const name of tables) checkTable(catalog.find(name), tableTag(name))
    const covered = coveredTables(catalog, tables)
    const silent = withoutTriggers(catalog, covered)
    if (silent) {
      const sql = notifyTriggersSql(covered)
      throw new FeedError(
        `the table ${tableTag(silent)} has no notify triggers: let the owner of the tables run (notifyTriggersSql gives it too)\n${sql}`,
      )
    }
    this.coverage.learn(covered)
    return catalog
  }

  private watchCatalog(connection: Connection, catalog: Catalog): CatalogWatch {
    const { clock, tables } = this.settings
    return new CatalogWatch(catalog, {
      clock,
      client: connection,
      tables,
      publication: undefined,
      coverage: this.coverage,
      lost: withoutTriggers,
      changed: (_, tags) => this.tell(tags),
      failed: this.failure.raise,
    })
  }

  private onNotification({ channel, payload }: PgNotification): void {
    if (channel === this.channel) {
      if (payload === String(this.heartbeats)) this.heard?.()
      return
    }
    this.facts.commits++
    this.tell(this.tagsOf(oidIn(payload)).flatMap((tag) => [tag, bulkTag(tag)]))
  }

  private tell(changed: readonly string[]): void {
    if (changed.length === 0) return
    const tags = this.watches.withAny([...changed])
    this.host.invalidate(tags)
    this.host.settle(tags)
  }

  /** A statement fires the triggers of the table that it names, though it may change rows of parts, or a part's root. */
  private tagsOf(oid: number | undefined): string[] {
    const { catalog } = this.catalogWatch!
    const table = oid === undefined ? undefined : catalog.get(oid)
    if (!table) {
      this.catalogWatch!.look()
      return [...this.coverage.tags()]
    }
    const family = new Set([...catalog.withAncestors(table), ...catalog.withDescendants(table)])
    return [...family].filter((one) => this.coverage.has(one)).map(tableTag)
  }

  private async ask(connection: Connection, askedAtMs: number): Promise<boolean> {
    this.facts.queries++
    const number = ++this.heartbeats
    const back = new Promise<void>((resolve) => {
      this.heard = resolve
    })
    const query = connection.query({
      name: 'millpond_heartbeat',
      text: 'SELECT pg_current_wal_insert_lsn()::text AS lsn, pg_notify($1, $2)',
      values: [this.channel, String(number)],
    })
    const [{ rows }] = await Promise.all([query, back])
    const lsn = beforePageHeader(parseLsn((rows[0] as { lsn: string }).lsn)!, this.facts.server!.segmentBytes)
    this.watermark.expect(askedAtMs, lsn)
    this.watermark.advance(lsn)
    this.host.progress()
    return false
  }
}

/** The first covered table, or part of one, whose changes would not be notified. */
function withoutTriggers(catalog: Catalog, covered: readonly CatalogTable[]): CatalogTable | undefined {
  return covered.flatMap((table) => catalog.withDescendants(table)).find((part) => !part.triggered)
}

function oidIn(payload: string | undefined): number | undefined {
  const match = /^\[(\d+)\]$/.exec(payload ?? '')
  return match ? Number(match[1]) : undefined
}
