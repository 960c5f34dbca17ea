/**
 * The port of a change feed: the database tells what was committed, whoever wrote it. A feed turns each commit into
 * tags, `table` and `table:primary-key`, and says how fresh its picture provably is.
 *
 * A database may announce a commit before that commit is visible to new readers. So a feed calls `invalidate` when a
 * commit is announced and `settle` when it is known to be visible to every new snapshot. In between, nothing that
 * was loaded under these tags may be stored: the load may have read the old row (DESIGN.md section 4).
 */
export interface Feed {
  /** Shown in events and errors. */
  readonly name: string
  /** Starts to tell. Returns what stops it. Several caches may subscribe to one feed. */
  subscribe(listener: FeedListener): () => void
  /**
   * Whether this feed tells of changes to what `tag` names; if so, the tag that voids it in bulk (`'trades:17'` is
   * voided by `'trades:*'` when a table is truncated or a transaction is very large). `undefined`: not covered.
   */
  covers(tag: string): string | undefined
  /**
   * Clock time (`monotonic`, ms) of a moment such that nothing visible in the database then is missing in what was
   * told. -Infinity while the feed is not whole.
   */
  freshAsOfMs(): number
  /** A hit is served only if the feed proves that nothing visible this long ago is missing. Default 250. */
  readonly maxStalenessMs: number
  /** Whether everything up to the position has been told. `false` for a position of another history. */
  includes(position: Position): boolean
  /**
   * The tags that changes of this give, from now on: what a loader that depends on it has to carry. Called before the load
   * begins. A feed without it knows tags only.
   *
   * @throws OptionError (`ERR_OPTION`) for what the feed does not tell of
   */
  tagsOf?(dependencies: Dependencies): readonly string[]
  /** Resolves when what has been told so far is settled, or after `timeoutMs` at the latest. */
  settled(timeoutMs: number): Promise<void>
  /** Ends connections and stops telling; subscribers treat what they hold as unproven. */
  close(): Promise<void>
}

/** What a loader reads, where the feed cannot see it. */
export interface Dependencies {
  /** Any change of one of these tables counts; `'*'`: any change that the feed tells of. */
  readonly tables?: readonly string[]
  /** A change of a row counts that had these values before it, or has them after it. */
  readonly rows?: readonly DependentRows[]
}

/** Rows of a table with these values: each column equal to the value, or to one of the list. */
export interface DependentRows {
  readonly table: string
  readonly where: Readonly<Record<string, RowValue | readonly RowValue[]>>
}

/** A text, a whole number, or a boolean. Texts are compared as they are; dates and UUIDs are given as texts. */
export type RowValue = string | number | bigint | boolean

/** A place in the history of a database (PostgreSQL: system id, timeline and LSN), as text that fits in a header. */
export type Position = string

/** The receiving side of a feed. Calls come in commit order; every `invalidate` is followed by one `settle`, or by `reset`. */
export interface FeedListener {
  /** Committed: entries under these tags are no longer valid, and nothing loaded under them may be stored yet. */
  invalidate(tags: readonly string[]): void
  /** The commit that named these tags is visible to every snapshot taken from now on. */
  settle(tags: readonly string[]): void
  /** A new epoch (connection lost, slot gone, failover): nothing that was cached from this source counts any more. */
  reset(reason: string): void
}
