/**
 * The slice of `pg` that the feed calls. `pg` is not a dependency: it is passed in, or loaded when the feed starts.
 * client.types.test.ts proves the slice against the real types.
 */
import { FeedError } from '../../core/errors.ts'
import { loadPackage } from '../../core/late-package.ts'

/** Something that runs SQL: a client or a pool of `pg`. */
export interface Queryable {
  /** Runs one statement and resolves with its rows. */
  query(query: string): Promise<{ rows: unknown[] }>
}

export interface PgClient extends Queryable {
  connect(): Promise<unknown>
  query(query: string | PgQuery): Promise<{ rows: unknown[] }>
  end(): Promise<void>
  on(event: 'error' | 'end' | 'notification', listener: (message: never) => void): unknown
  readonly connection: PgWire
}

/** A query as an object: a `name` makes it a prepared statement. */
export interface PgQuery {
  text: string
  name?: string
  values?: unknown[]
}

export interface PgNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** The wire below a client. */
export interface PgWire {
  on(event: string, listener: (message: { readonly chunk: Buffer }) => void): unknown
  once(event: string, listener: () => void): unknown
  readonly stream: { destroy(): unknown }
}

/** What `pg`'s wire does and its types do not say: the copy protocol, on which replication runs. */
export interface PgCopyWire extends PgWire {
  sendCopyFromChunk(chunk: Uint8Array): void
  endCopyFrom(): void
}

export type PgClientClass = new (config: object) => PgClient

/** `pg` itself (`import pg from 'pg'`), or its class `Client`. */
export type PgModule = { readonly Client: PgClientClass } | PgClientClass

/** The class `Client` of what was passed, or of the package `pg`, loaded now. Throws FeedError when there is none. */
export async function clientClass(
  passed: PgModule | undefined,
  load: (name: string) => Promise<unknown> = loadPackage,
): Promise<PgClientClass> {
  const found = classIn(passed ?? (await load('pg').catch(explain)))
  if (found) return found
  throw new FeedError(
    "postgresFeed({ client }) takes the module `pg` or its class: import pg from 'pg', then { client: pg }",
  )
}

/** The wire with its copy methods. */
export function copyWire(client: PgClient): PgCopyWire {
  const wire = client.connection as Partial<PgCopyWire> | undefined
  if (typeof wire?.sendCopyFromChunk === 'function' && typeof wire.endCopyFrom === 'function') return wire as PgCopyWire
  throw new FeedError(
    "this client cannot replicate: postgresFeed needs the class Client of the package `pg` 8 (not its 'native' one)",
  )
}

function explain(cause: unknown): never {
  throw new FeedError(
    'postgresFeed needs the package `pg`: run `npm install pg`, or pass it: postgresFeed({ client: pg })',
    { cause },
  )
}

function classIn(candidate: unknown): PgClientClass | undefined {
  if (typeof candidate === 'function') return candidate as PgClientClass
  if (typeof candidate !== 'object' || candidate === null) return undefined
  const { Client, default: inner } = candidate as { Client?: unknown; default?: unknown }
  return classIn(Client) ?? (inner === candidate ? undefined : classIn(inner))
}
