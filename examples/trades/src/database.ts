/** The database of the example: a server of its own, which is gone afterwards, or the one that DATABASE_URL names. */
import pg from 'pg'
import { startPostgres } from '../../../tools/servers/postgres.ts'
import type { Settings } from './settings.ts'
import { fillTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface DatabaseOptions extends Pick<Settings, 'postgres' | 'databaseUrl' | 'rows'> {
  terminal: Terminal
  signal: AbortSignal
}

export interface Database extends AsyncDisposable {
  readonly url: string
}

/** Opens the database and loads the trades. */
export async function openDatabase({ postgres, databaseUrl, ...loading }: DatabaseOptions): Promise<Database> {
  const server = databaseUrl === undefined ? await startPostgres({ binaries: postgres }) : undefined
  const url = server?.url ?? databaseUrl!
  try {
    await load(url, loading)
  } catch (error) {
    await server?.destroy()
    throw error
  }
  return { url, [Symbol.asyncDispose]: async () => await server?.destroy() }
}

async function load(
  url: string,
  { rows, terminal, signal }: Pick<DatabaseOptions, 'rows' | 'terminal' | 'signal'>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  // A server that goes away is told by the query that was under way.
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows: versions } = await client.query('SHOW server_version')
    const label = `  PostgreSQL ${versions[0].server_version}: ${rows.toLocaleString('en')} trades`
    await fillTable(client, { rows, signal, progress: (present) => terminal.progress(label, present / rows) })
    terminal.print('')
  } finally {
    await client.end()
  }
}
