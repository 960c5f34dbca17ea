/** A call of `query` in any of the forms that `pg` takes: text or object, with or without values and callback. */
import type { Position } from '../../../core/feed.ts'
import type { PgCallback } from './pg-pool.ts'

export interface QueryCall {
  readonly text: string
  readonly values: readonly unknown[]
  /** Rows as arrays instead of objects. */
  readonly asArrays: boolean
  readonly callback: PgCallback | undefined
  readonly read: ReadMode | undefined
}

/**
 * How fresh an answer has to be. `bounded`: nothing that was visible longer ago than the feed's `maxStaleness` is missing.
 * `atLeast`: nothing up to the position is missing. `strict`: nothing that was committed when the question was put is missing.
 */
export type ReadMode = 'bounded' | 'strict' | { readonly atLeast: Position }

interface QueryObject {
  readonly text?: unknown
  readonly values?: readonly unknown[]
  readonly rowMode?: unknown
  /** Parsers of this query's own. */
  readonly types?: unknown
  /** A cursor, a stream: something that runs itself. */
  readonly submit?: unknown
  readonly callback?: unknown
  /** Our own addition; `pg` ignores it. */
  readonly read?: ReadMode
}

/** What the arguments ask for; `undefined` for what is more than text and values, and goes to the database as it is. */
export function readCall(args: readonly unknown[]): QueryCall | undefined {
  const [first, second, third] = args
  const callback = [second, third].find((one) => typeof one === 'function') as PgCallback | undefined
  const values = Array.isArray(second) ? (second as unknown[]) : undefined
  if (typeof first === 'string')
    return { text: first, values: values ?? [], asArrays: false, callback, read: undefined }
  if (typeof first !== 'object' || first === null) return undefined
  const query = first as QueryObject
  if (typeof query.text !== 'string' || query.submit !== undefined || query.types !== undefined) return undefined
  if (query.callback !== undefined) return undefined
  return {
    text: query.text,
    values: values ?? query.values ?? [],
    asArrays: query.rowMode === 'array',
    callback,
    read: query.read,
  }
}
