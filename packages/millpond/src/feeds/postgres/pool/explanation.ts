/** Why a query is cached or not, for people. */
import type { QueryShape } from '../sql/query-shape.ts'

/** What `explain` says of a query. */
export interface Explanation {
  readonly cacheable: boolean
  /** Why not, in words; none when it is. */
  readonly reasons: readonly string[]
  /** For each time that the query reads a table: which of its rows can make the answer old, and by which changes, and why these. */
  readonly dependencies: readonly { readonly table: string; readonly rows: string; readonly changes: string }[]
}

/** @param rowsAreTold whether the feed tells single rows, or only whole tables */
export function explain({ reasons, dependencies }: QueryShape, rowsAreTold: boolean): Explanation {
  return {
    cacheable: reasons.length === 0,
    reasons,
    dependencies: dependencies.map(({ tableTag, precision, changes }) => {
      return { table: tableTag, rows: precision, changes: rowsAreTold ? changes : BY_TRIGGERS }
    }),
  }
}

const BY_TRIGGERS = "any change of the table: mode 'triggers' tells only of whole tables"
