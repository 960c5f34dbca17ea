/** A call of `query` in any of the forms that `pg` takes: text or object, with or without values and callback. */
import type { ReadMode } from '../../read-mode.ts'
import type { PgCallback } from './pg-pool.ts'

export interface QueryCall {
  readonly text: string
  readonly values: readonly unknown[]
  /** Rows as arrays instead of objects. */
  readonly asArrays: boolean
  /** Parsers of this query's own. */
  readonly types: TypeParsers | undefined
  readonly callback: PgCallback | undefined
  readonly read: ReadMode | undefined
  /** What `pg` is given: a copy, because the caller may go on changing what he gave. */
  readonly config: object
}

/** How values that PostgreSQL sent become values of JavaScript. */
export interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown
}

interface QueryObject {
  readonly text?: unknown
  readonly values?: readonly unknown[]
  readonly rowMode?: unknown
  readonly types?: TypeParsers
  readonly name?: unknown
  readonly query_timeout?: unknown
  /** Our own addition; `pg` ignores it. */
  readonly read?: ReadMode
  readonly [other: string]: unknown
}

/** A cursor or a stream runs itself; others ask for more than rows. */
const UNUSUAL = ['submit', 'callback', 'binary', 'rows', 'portal', 'queryMode'] as const

/** What the arguments ask for; `undefined` for what is more than text and values, and goes to the database as it is. */
export function readCall(args: readonly unknown[]): QueryCall | undefined {
  const [first, second, third] = args
  const callback = typeof second === 'function' ? second : typeof third === 'function' ? third : undefined
  const query = (typeof first === 'string' ? { text: first } : first) as QueryObject | null | undefined
  if (typeof query !== 'object' || query === null || typeof query.text !== 'string') return undefined
  if (query === first && UNUSUAL.some((name) => query[name])) return undefined
  const given = second && typeof second !== 'function' ? second : query.values
  if (given !== undefined && given !== null && !Array.isArray(given)) return undefined
  const values = given ? given.map(copyOf) : []
  const config = configOf(query, given ? values : undefined)
  const { text, types, rowMode, read } = query
  return {
    text,
    values,
    asArrays: rowMode === 'array',
    types,
    callback: callback as PgCallback | undefined,
    read,
    config,
  }
}

function configOf({ text, types, rowMode, name, query_timeout }: QueryObject, values: unknown[] | undefined): object {
  const config: Record<string, unknown> = values ? { text, values } : { text }
  if (types !== undefined) config.types = types
  if (rowMode !== undefined) config.rowMode = rowMode
  if (name !== undefined) config.name = name
  if (query_timeout !== undefined) config.query_timeout = query_timeout
  return config
}

/** What the caller may change in place. Other objects make a query go to the database, as they are. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (value instanceof Date) return new Date(value.getTime())
  if (!ArrayBuffer.isView(value)) return value
  return Buffer.from(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
}
