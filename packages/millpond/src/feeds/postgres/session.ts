/** One epoch of a feed, from connecting until something breaks. After it nothing that was cached before counts. */

import type { CatalogTable } from './catalog.ts'
import type { Lsn } from './lsn.ts'
import type { ParsedPosition } from './position.ts'
import type { ServerInfo } from './server-info.ts'
import type { Commit } from './transactions.ts'
import type { Visibility } from './visibility.ts'

export interface Session {
  /** Runs the epoch; rejects with what ended it, never resolves. */
  run(): Promise<never>
  /** Ends the epoch in order: the temporary slot is gone when it resolves. `run` rejects. */
  close(): Promise<void>
  /** Clock time of a moment of which nothing is missing; -Infinity unless the epoch is whole. */
  readonly freshAsOfMs: number
  /** Everything before it was announced; `undefined` until the epoch is whole. */
  readonly position: ParsedPosition | undefined
  /** Resolves with whether everything up to the position was announced before the epoch ended. */
  reached(position: ParsedPosition): Promise<boolean>
  /** Where the server stands now. */
  now(): Promise<ParsedPosition>
  /** Tags of commits that are announced and not yet known to be visible. */
  unsettledTags(): (readonly string[])[]
  settled(): Promise<void>
  /** A tag is new: what is unsettled for the table (`undefined`: for any) is for the tag too. */
  bind(table: string | undefined, tag: string): void
  /** Changes give these tags no more. */
  forgot(tags: readonly string[]): void
  readonly facts: SessionFacts
}

/** What a session knows about itself, for `status()`. */
export interface SessionFacts {
  server: ServerInfo | undefined
  slot: string | undefined
  /** Where several processes share a feeder: which of them this one is. */
  role: 'feeder' | 'follower' | undefined
  /** Commits that named a tag; rows decoded; settle queries. */
  commits: number
  changes: number
  queries: number
}

/** What a session tells its feed. */
export interface SessionHost {
  /** The epoch begins: what was cached before does not count. Called before the first `invalidate`. */
  begin(): void
  invalidate(tags: readonly string[]): void
  settle(tags: readonly string[]): void
  /** Nothing is missing as of a later moment than before. */
  progress(): void
  /** What the session is waiting for, as shown in `status()`. */
  waiting(reason: string): void
}

/** Who hears what a session reads, in that order, each thing after the session has taken it in. */
export interface SessionTap {
  began(tapped: Tapped): void
  commit(commit: Commit): void
  /** Everything before `lsn` was read. */
  advanced(lsn: Lsn): void
  voided(tags: readonly string[]): void
  covers(tables: readonly CatalogTable[]): void
}

/** A session as its tap sees it. */
export interface Tapped {
  readonly server: ServerInfo
  readonly visibility: Visibility
  readonly tables: () => readonly CatalogTable[]
  /** Asks the server how far the log is. */
  readonly ping: () => void
}
