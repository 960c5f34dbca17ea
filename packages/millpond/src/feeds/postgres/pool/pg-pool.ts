/** The slice of `pg`'s pool and clients that is called; pg-pool.types.test.ts proves it against the real types. */
import type { Queryable } from '../client.ts'

export interface PgPool extends Queryable {
  connect(): Promise<unknown>
}

export interface PgPoolClient extends Queryable {
  readonly connection?: PgClientWire
  /** Since version 8.21. */
  getTransactionStatus?(): string | null
  on?(event: 'end' | 'error', listener: (error: Error) => void): unknown
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}

/** The wire tells after each statement whether a transaction is open. */
export interface PgClientWire {
  on(event: 'readyForQuery', listener: (message: { readonly status: string }) => void): unknown
}

/** What a query resolves with. */
export interface PgResult {
  readonly command: string
  readonly rowCount: number | null
  readonly fields: readonly object[]
  readonly rows: readonly unknown[]
}

export type PgCallback = (error: Error | null | undefined, result?: unknown) => void
