import type { Clock } from '../core/clock.ts'
import type { Feed, FeedListener, Position } from '../core/feed.ts'

/** Options of `MemoryFeed`. */
export interface MemoryFeedOptions {
  clock: Clock
  /** The tables that it tells of. */
  tables: readonly string[]
  /** Default 250. */
  maxStalenessMs?: number
}

/**
 * A change feed driven by hand: the reference for what the port means. `commit` announces, `settle` says that all
 * announced commits are visible, `stall` stops it from proving freshness, `reset` begins a new epoch.
 */
export class MemoryFeed implements Feed {
  readonly name = 'memory-feed'
  readonly maxStalenessMs: number
  readonly #clock: Clock
  readonly #tables: ReadonlySet<string>
  readonly #listeners = new Set<FeedListener>()
  #announced: (readonly string[])[] = []
  #waiting: (() => void)[] = []
  #stalledAtMs: number | undefined
  #position = 0

  constructor({ clock, tables, maxStalenessMs = 250 }: MemoryFeedOptions) {
    this.#clock = clock
    this.#tables = new Set(tables)
    this.maxStalenessMs = maxStalenessMs
  }

  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener)
    // What is announced and not yet visible binds the newcomer too.
    for (const tags of this.#announced) listener.invalidate(tags)
    return () => void this.#listeners.delete(listener)
  }

  covers(tag: string): string | undefined {
    const [table] = tag.split(':', 1)
    return this.#tables.has(table!) ? `${table}:*` : undefined
  }

  freshAsOfMs(): number {
    return this.#stalledAtMs ?? this.#clock.monotonic()
  }

  includes(position: Position): boolean {
    return Number(position) <= this.#position
  }

  async settled(timeoutMs: number): Promise<void> {
    if (this.#announced.length === 0) return
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      this.#clock.after(timeoutMs, resolve)
    })
  }

  /** Nothing is told any more. */
  async close(): Promise<void> {
    this.#listeners.clear()
  }

  /** Announces a commit that touched these tags. It is not settled yet. Returns its position. */
  commit(...tags: readonly string[]): Position {
    this.#announced.push(tags)
    for (const listener of this.#listeners) listener.invalidate(tags)
    return String(++this.#position)
  }

  /** All announced commits are visible. */
  settle(): void {
    const announced = this.#announced
    this.#announced = []
    for (const tags of announced) for (const listener of this.#listeners) listener.settle(tags)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Stops proving freshness: as a connection that hangs. */
  stall(): void {
    this.#stalledAtMs = this.#clock.monotonic()
  }

  /** Is whole no more, until `resume`. */
  break(reason: string): void {
    this.#stalledAtMs = Number.NEGATIVE_INFINITY
    this.#announced = []
    for (const listener of this.#listeners) listener.reset(reason)
  }

  /** Proves freshness again. */
  resume(): void {
    this.#stalledAtMs = undefined
  }
}
