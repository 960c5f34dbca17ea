/** A process that writes to the table, and says when each write was acknowledged: on the clock that all processes share. */

import pg from 'pg'
import { atPace } from './pace.ts'
import { ROWS } from './table.ts'

export interface Argument {
  readonly url: string
}

/** By row: nanoseconds of the machine's monotonic clock, as text. */
export type Moments = Readonly<Record<string, string>>

const CONNECTIONS = 8

export async function serve({ url }: Argument): Promise<{
  write(at: { perSecond: number; forMs: number }): Promise<Moments>
  flatOut(at: { forMs: number }): Promise<Moments>
  close(): Promise<void>
}> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  let next = 0
  /** Each row once a round, so that a row's event is the event of its write. */
  const write = async (into: Record<string, string>): Promise<void> => {
    const id = next++ % ROWS
    await pool.query({ name: 'w', text: 'UPDATE items SET version = version + 1 WHERE id = $1', values: [id] })
    into[id] = String(process.hrtime.bigint())
  }
  return {
    async write({ perSecond, forMs }) {
      const acknowledged: Record<string, string> = {}
      await atPace(perSecond, forMs, () => write(acknowledged))
      return acknowledged
    },
    async flatOut({ forMs }) {
      const acknowledged: Record<string, string> = {}
      const endMs = performance.now() + forMs
      const limit = next + ROWS - CONNECTIONS
      const run = async (): Promise<void> => {
        while (performance.now() < endMs && next < limit) await write(acknowledged)
      }
      await Promise.all(Array.from({ length: CONNECTIONS }, run))
      return acknowledged
    },
    close: () => pool.end(),
  }
}
