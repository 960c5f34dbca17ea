/** The connections of a session: the loss of one ends it, and all can be cut without waiting for anybody. */
import { clientClass, type PgClient } from './client.ts'
import type { FeedSettings } from './options.ts'

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

  /** Opens a connection. Dates of keys come in ISO form and UTC, whatever the server is set to. */
  async connect(more: object = {}): Promise<PgClient> {
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
    await client.connect()
    await client.query(
      "SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'",
    )
    return client
  }

  /** Ends all connections at once: nothing is said to the server, which may not be listening. */
  cut(): void {
    this.ended = true
    for (const client of this.open) client.connection.stream.destroy()
  }
}

/** The first row of a query, as an object of texts. */
export async function firstRow(client: PgClient, text: string): Promise<Record<string, string>> {
  const { rows } = await client.query(text)
  return (rows[0] ?? {}) as Record<string, string>
}

/** SQLSTATE of an error of the server. */
export function sqlState(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code
}
