/** The connections of a session: the loss of one ends it, and all can be cut without waiting for anybody. */
import { FeedError } from '../../core/errors.ts'
import { clientClass, type PgClient, type PgQuery, type Queryable } from './client.ts'
import type { FeedSettings } from './options.ts'

/** What is asked of the database: a connection, or what stands for one. */
export type Asking = Pick<Connection, 'query'>

/** One connection. Its queries run one after the other: `pg` gives up doing that for its callers. */
export class Connection implements Queryable {
  readonly client: PgClient
  private last: Promise<unknown> = Promise.resolve()

  constructor(client: PgClient) {
    this.client = client
  }

  query(query: string | PgQuery): Promise<{ rows: unknown[] }> {
    const result = this.last.then(() => this.client.query(query))
    this.last = result.catch(() => {})
    return result
  }
}

/**
 * Keys come in one text form, dates in ISO and UTC, whatever the server is set to. Compiling our small queries (jit)
 * would take a second where their cost is overestimated, and waiting for a slot is no statement that takes too long.
 */
const SESSION_SQL = `SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';
  SET jit = off; SET statement_timeout = 0`

export class Connections {
  private readonly settings: FeedSettings
  private readonly onLost: (error: Error) => void
  private readonly open: PgClient[] = []
  private ended = false

  /** @param onLost called once a connection is of no use any more, for whatever reason */
  constructor(settings: FeedSettings, onLost: (error: Error) => void) {
    this.settings = settings
    this.onLost = onLost
  }

  /** Opens a connection with the session settings that the feed counts on. */
  async connect(more: object = {}): Promise<Connection> {
    const { settings, onLost } = this
    const Client = await clientClass(settings.client)
    const client = new Client({
      application_name: 'millpond',
      keepAlive: true,
      connectionTimeoutMillis: settings.stallTimeoutMs,
      ...settings.connection,
      ...more,
    })
    client.on('error', (error: Error) => onLost(error))
    client.on('end', () => onLost(new Error('the server closed the connection')))
    this.open.push(client)
    if (this.ended) throw new Error('the session has ended')
    await client.connect().catch((cause: unknown) => {
      throw refused(cause)
    })
    await client.query(SESSION_SQL)
    return new Connection(client)
  }

  /** Ends all connections at once: nothing is said to the server, which may not be listening. */
  cut(): void {
    this.ended = true
    for (const client of this.open) client.connection.stream.destroy()
  }
}

/** Wrong password, no such role or no rule for it in pg_hba.conf, no such database: waiting does not help. */
const REFUSED = ['28P01', '28000', '3D000']

function refused(cause: unknown): unknown {
  if (!REFUSED.includes(sqlState(cause) ?? '')) return cause
  return new FeedError(`the server refuses the connection: ${(cause as Error).message}`, { cause })
}

/** The first row of a query, as an object of texts. */
export async function firstRow(client: Queryable, text: string): Promise<Record<string, string>> {
  const { rows } = await client.query(text)
  return (rows[0] ?? {}) as Record<string, string>
}

/** SQLSTATE of an error of the server. */
export function sqlState(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code
}
