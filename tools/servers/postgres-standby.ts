/** Makes a standby of a running server: copies its data by the backup functions that every server has (15 and later). */
import { chownSync, cpSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import type { PostgresServer } from './postgres.ts'

/** What belongs to the running server, or is received anew, as the log is. The folders themselves are needed. */
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|pg_(wal|replslot|dynshmem|notify|serial|snapshots|stat_tmp|subtrans)\/.+|.*pgsql_tmp.*)$/

/**
 * Fills the empty folder of a standby. The copy is made while the primary runs, so it is whole only with the log since it
 * began, which the standby receives.
 *
 * @param user whose the files are to be
 */
export async function copyAsStandby(
  primary: PostgresServer,
  dataDir: string,
  user: { readonly uid?: number; readonly gid?: number },
): Promise<void> {
  const client = new pg.Client({ connectionString: primary.url })
  await client.connect()
  try {
    await client.query("SELECT pg_backup_start('standby', true)")
    const isWanted = (file: string): boolean => !LEFT_OUT.test(path.relative(primary.dataDir, file))
    cpSync(primary.dataDir, dataDir, { recursive: true, filter: isWanted })
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop()')
    writeFileSync(path.join(dataDir, 'backup_label'), rows[0].labelfile)
  } finally {
    await client.end()
  }
  writeFileSync(path.join(dataDir, 'standby.signal'), '')
  const origin = `host=127.0.0.1 port=${primary.port} user=postgres`
  writeFileSync(path.join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${origin}'\n`)
  const { uid, gid } = user
  if (uid === undefined || gid === undefined) return
  for (const name of readdirSync(dataDir, { recursive: true }) as string[])
    chownSync(path.join(dataDir, name), uid, gid)
}
