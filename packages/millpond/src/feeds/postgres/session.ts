/** One epoch of a feed, from connecting until something breaks. After it nothing that was cached before counts. */
import type { ParsedPosition } from './position.ts'
import type { ServerInfo } from './server-info.ts'

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
  readonly facts: SessionFacts
}

/** What a session knows about itself, for `status()`. */
export interface SessionFacts {
  server: ServerInfo | undefined
  slot: string | undefined
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
