/** The connections of the doctor: one that asks, and one that tries whether replication is let through. */
import pg from 'pg'
import { type Finding, fault, good } from './finding.ts'

const PATIENCE_MS = 10_000

/** Cannot connect: nothing can be said of the server. */
export class NoConnection extends Error {}

/** Opens a connection. No message has the password. */
export async function connect(url: string | undefined, more: object = {}): Promise<pg.Client> {
  const client = clientFor(url, more)
  // Told by the query that is under way, or by the next one.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (cause) {
    void client.end().catch(() => {})
    throw new NoConnection(`cannot connect to ${placeOf(client)}: ${describe(cause)}`)
  }
}

function clientFor(url: string | undefined, more: object): pg.Client {
  try {
    const client = new pg.Client({
      application_name: 'millpond doctor',
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
      ...(url !== undefined && { connectionString: url }),
      ...more,
    })
    if (url === undefined || /^postgres(ql)?:\/\//.test(url)) return client
  } catch {
    // Its message may have the whole text.
  }
  throw new NoConnection('the url is none that PostgreSQL understands; give postgres://role@host:5432/database')
}

/** Where a connection leads, without role and password. */
export function placeOf({ host, port, database }: pg.Client): string {
  return `${host}:${port}/${database ?? ''}`
}

/** An error of several addresses has no message of its own. */
function describe(error: unknown): string {
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error as Error]
  return [...new Set(errors.map(({ message }) => message))].join('; ')
}

/** Whether a replication connection is let through, and leads to the same server. It is closed at once, and makes no slot. */
export async function tryReplication(url: string | undefined, control: pg.Client): Promise<Finding> {
  try {
    const walsender = await connect(url, { replication: 'database' })
    try {
      return await compare(walsender, control)
    } finally {
      await walsender.end()
    }
  } catch (error) {
    return fault(
      'replication',
      `A replication connection is refused, by the server or by something in between: ${(error as Error).message}. ` +
        'In pg_hba.conf it is matched by its database, as any other.',
    )
  }
}

async function compare(walsender: pg.Client, control: pg.Client): Promise<Finding> {
  const { rows } = await walsender.query('IDENTIFY_SYSTEM')
  const { rows: own } = await control.query('SELECT system_identifier::text AS id FROM pg_control_system()')
  if (rows[0].systemid === own[0].id) return good('replication', 'A replication connection is let through.')
  return fault(
    'replication',
    'Two connections lead to two different servers: the name has several addresses, or a pooler stands in between.',
  )
}
