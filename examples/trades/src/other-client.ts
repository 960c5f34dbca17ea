/** A write by somebody that the app knows nothing of: psql where it is on PATH, else a connection of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { onPath } from '../../../tools/servers/find.ts'

export interface OtherClient {
  readonly name: string
  /** Runs one statement in autocommit. Resolves with when the client knew of the commit (`performance.now`). */
  commit(databaseUrl: string, sql: string): Promise<number>
}

export function otherClient(path: string | undefined = process.env.PATH): OtherClient {
  return onPath(['psql'], path) === undefined ? otherConnection : psql
}

const otherConnection: OtherClient = {
  name: 'a pg client',
  async commit(databaseUrl, sql) {
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    try {
      await client.query(sql)
      return performance.now()
    } finally {
      await client.end()
    }
  },
}

const psql: OtherClient = {
  name: 'psql',
  async commit(databaseUrl, sql) {
    // It says when the server has answered: a process takes a while longer to end.
    const commands = ['-c', sql, '-c', '\\echo committed']
    const child = spawn('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', ...commands, databaseUrl], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let committedMs = Number.NaN
    let complaint = ''
    child.stdout.once('data', () => (committedMs = performance.now()))
    child.stderr.on('data', (text) => (complaint += String(text)))
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`psql could not insert: ${complaint}`)
    return committedMs
  },
}
