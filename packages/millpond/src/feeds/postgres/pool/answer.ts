/** A result as it is kept, and as it is handed out: who changes the rows that he was given changes nobody else's. */
import type { PgResult } from './pg-pool.ts'

/** What is kept of a result. Frozen by the cache. */
export interface KeptAnswer {
  readonly command: string
  readonly rowCount: number | null
  readonly fields: readonly object[]
  readonly rows: readonly unknown[]
}

export function keepAnswer({ command, rowCount, fields, rows }: PgResult): KeptAnswer {
  return { command, rowCount, fields: fields.map((field) => ({ ...field })), rows }
}

/**
 * The result with a list of rows and rows of its own. Values inside of a row that are objects (JSON, dates, arrays) are
 * shared and frozen.
 */
export function handOut({ command, rowCount, fields, rows }: KeptAnswer): object {
  return {
    command,
    rowCount,
    oid: null,
    fields: fields.slice(),
    rows: rows.map(copyOf),
    rowAsArray: Array.isArray(rows[0]),
  }
}

function copyOf(row: unknown): unknown {
  return Array.isArray(row) ? row.slice() : { ...(row as object) }
}
