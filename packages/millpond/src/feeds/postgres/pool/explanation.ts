/** Why a query is cached or not, for people. */
import type { QueryShape } from '../sql/query-shape.ts'

/** What `explain` says of a query. */
export interface Explanation {
  readonly cacheable: boolean
  /** Why not, in words; none when it is. */
  readonly reasons: readonly string[]
  /** For each time that the query reads a table: which of its rows can make the answer old. */
  readonly dependencies: readonly { readonly table: string; readonly rows: string }[]
}

export function explain({ reasons, dependencies }: QueryShape): Explanation {
  return {
    cacheable: reasons.length === 0,
    reasons,
    dependencies: dependencies.map(({ tableTag, precision }) => ({ table: tableTag, rows: precision })),
  }
}
