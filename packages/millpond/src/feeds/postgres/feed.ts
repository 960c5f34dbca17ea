/**
 * The feed that a cache subscribes to: keeps one session running while somebody listens, begins a new epoch after each
 * failure, and tells all listeners the same.
 */
import { ClosedError, FeedError } from '../../core/errors.ts'
import type { Dependencies, Feed, FeedListener, Position } from '../../core/feed.ts'
import { Backoff } from '../backoff.ts'
import { SessionClosed } from '../epoch-end.ts'
import { Listeners } from '../listeners.ts'
import { SharedQuestion } from '../shared-question.ts'
import { Coverage } from './coverage.ts'
import { dependentTags } from './dependent-tags.ts'
import { type FeedSettings, type PostgresFeedOptions, resolveOptions } from './options.ts'
import { formatPosition, type ParsedPosition, parsePosition } from './position.ts'
import { RelaySession } from './relay/relay-session.ts'
import { ReplicationSession } from './replication-session.ts'
import type { Session, SessionHost } from './session.ts'
import { describeStatus, type PostgresFeedStatus } from './status.ts'
import { TriggerSession } from './trigger-session.ts'
import type { Watch, WatchedRows } from './watched-rows.ts'
import { Watches } from './watches.ts'

/** A feed of PostgreSQL's commits. See `Feed` for what a cache uses; the rest is for people and for tests. */
export interface PostgresFeed extends Feed, AsyncDisposable {
  /**
   * Resolves once the feed is whole. Starts it, if no cache has yet.
   *
   * @throws FeedError (`ERR_FEED`) when the database has to be changed first; the message has the SQL. The feed goes on
   * trying, so the change takes effect without a restart.
   * @throws ClosedError (`ERR_CLOSED`) when the feed is closed meanwhile
   */
  ready(): Promise<void>
  /** Everything up to here was told; `undefined` while the feed is not whole. */
  position(): Position | undefined
  /**
   * A position that includes everything that was durable when this was called: one question to the server for all who ask
   * meanwhile. A read that carries it as `atLeast` is linearizable.
   *
   * @throws FeedError (`ERR_FEED`) while the feed is not whole
   */
  now(): Promise<Position>
  /** Resolves with true once everything up to the position was told; with false for another history, or after `timeoutMs`. */
  reached(position: Position, timeoutMs: number): Promise<boolean>
  /**
   * From now on changes of these rows give the tags of the watch, besides the usual ones. The tags of a watch are covered
   * like the table's; a feed that tells only whole tables gives none of them, and voids them with the table.
   */
  watch(rows: WatchedRows): Watch
  /**
   * The tags that changes of these tables and rows give, from now on: what a loader that reads them has to carry.
   *
   * @throws OptionError (`ERR_OPTION`) for a table that the feed does not tell of, or a value that cannot be compared
   */
  tagsOf(dependencies: Dependencies): readonly string[]
  /** Voids what carries these tags, as a change that nobody waits for would. */
  void(tags: readonly string[]): void
  /** How the feed is doing at this moment. */
  status(): PostgresFeedStatus
}

/**
 * Makes a feed from the change log of a PostgreSQL 13 or later. Nothing is opened until a cache subscribes, or `ready`
 * is called; when the last cache has gone the connections are closed.
 *
 * @throws OptionError (`ERR_OPTION`) for options that cannot work
 */
export function postgresFeed(options: PostgresFeedOptions): PostgresFeed {
  return new LivePostgresFeed(resolveOptions(options))
}

type Waiter = { resolve: () => void; reject: (error: Error) => void }

class LivePostgresFeed implements PostgresFeed {
  readonly name = 'postgres'
  readonly maxStalenessMs: number
  private readonly settings: FeedSettings
  private readonly coverage: Coverage
  private readonly watches = new Watches({
    isNew: (table, tag) => this.session?.bind(table, tag),
    forgotten: (tags) => {
      this.void(tags)
      this.session?.forgot(tags)
    },
  })
  private readonly listeners: Listeners
  private readonly backoff: Backoff
  private readonly present = new SharedQuestion(async () => {
    if (!this.session?.position)
      throw new FeedError(`the feed cannot say where the server stands: ${this.reason ?? 'it is not whole'}`)
    return formatPosition(await this.session.now())
  })
  /** The position that is waited for, as told last: who shares a question shares the wait for its answer. */
  private awaited: { position: Position; timeoutMs: number; reached: Promise<boolean> } | undefined
  private session: Session | undefined
  private running: Promise<void> | undefined
  private waiters: Waiter[] = []
  private epoch = 0
  private reason: string | undefined
  private wanted = false
  private closed = false

  constructor(settings: FeedSettings) {
    this.settings = settings
    this.maxStalenessMs = settings.maxStalenessMs
    this.coverage = new Coverage(settings.tables, settings.mode === 'replication')
    this.listeners = new Listeners(settings.logger)
    this.backoff = new Backoff(settings.clock, settings.random)
  }

  subscribe(listener: FeedListener): () => void {
    if (this.closed) throw new ClosedError('the feed')
    const leave = this.listeners.add(listener)
    // What is announced and not yet visible binds the newcomer too; it is told when that has settled.
    for (const tags of this.session?.unsettledTags() ?? []) listener.invalidate(tags)
    this.run()
    return () => {
      if (leave() && this.listeners.size === 0) void this.rest()
    }
  }

  covers(tag: string): string | undefined {
    return this.coverage.covers(tag)
  }

  freshAsOfMs(): number {
    return this.session?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  includes(position: Position): boolean {
    const parsed = parsePosition(position)
    const now = this.session?.position
    return parsed !== undefined && now !== undefined && sameHistory(parsed, now) && parsed.lsn <= now.lsn
  }

  position(): Position | undefined {
    const now = this.session?.position
    return now && formatPosition(now)
  }

  now(): Promise<Position> {
    return this.present.ask()
  }

  reached(position: Position, timeoutMs: number): Promise<boolean> {
    const parsed = parsePosition(position)
    const now = this.session?.position
    if (!parsed || !now || !sameHistory(parsed, now)) return Promise.resolve(false)
    const { awaited } = this
    if (awaited?.position === position && awaited.timeoutMs === timeoutMs) return awaited.reached
    const reached = this.within(timeoutMs, this.session!.reached(parsed), false).finally(() => {
      if (this.awaited?.reached === reached) this.awaited = undefined
    })
    this.awaited = { position, timeoutMs, reached }
    return reached
  }

  settled(timeoutMs: number): Promise<void> {
    return this.within(timeoutMs, this.session?.settled() ?? Promise.resolve(), undefined)
  }

  ready(): Promise<void> {
    if (this.closed) return Promise.reject(new ClosedError('the feed'))
    if (this.freshAsOfMs() > Number.NEGATIVE_INFINITY) return Promise.resolve()
    this.backoff.skip()
    this.run()
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }))
  }

  watch(rows: WatchedRows): Watch {
    return this.watches.watch(rows)
  }

  tagsOf(dependencies: Dependencies): readonly string[] {
    return dependentTags(dependencies, this.watches, this.coverage)
  }

  void(tags: readonly string[]): void {
    this.listeners.invalidate(tags)
    this.listeners.settle(tags)
  }

  status(): PostgresFeedStatus {
    const { session, epoch, reason, settings, closed } = this
    return describeStatus({ session, epoch, reason, settings, closed, running: this.running !== undefined })
  }

  async close(): Promise<void> {
    this.closed = true
    await this.rest()
    this.release(new ClosedError('the feed'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends the session, if there is one; a later subscriber starts another. */
  private async rest(): Promise<void> {
    const { session } = this
    this.wanted = false
    this.backoff.skip()
    // From here on it proves nothing, and who subscribes meanwhile is not told of its end.
    this.session = undefined
    this.reason = undefined
    this.listeners.reset('the feed was stopped')
    await session?.close()
    await this.running
  }

  private run(): void {
    this.wanted = true
    this.running ??= this.loop().finally(() => {
      this.running = undefined
      if (this.wanted && !this.closed) this.run()
    })
  }

  private async loop(): Promise<void> {
    while (this.wanted) {
      this.epoch++
      const { settings, coverage } = this
      const Kind = settings.relay ? RelaySession : settings.mode === 'triggers' ? TriggerSession : ReplicationSession
      this.session = new Kind(settings, this.host(), coverage, this.watches)
      const error = await this.session.run().catch((cause: unknown) => cause as Error)
      if (error instanceof SessionClosed) continue
      this.lost(error)
      if (this.wanted) await this.backoff.wait(error instanceof FeedError, this.waiters.length > 0)
    }
  }

  private lost(error: Error): void {
    this.session = undefined
    this.reason = error.message
    this.settings.logger.warn({ error, epoch: this.epoch }, `the feed was interrupted: ${error.message}`)
    this.listeners.reset(error.message)
    if (error instanceof FeedError) this.release(error)
  }

  /** What the session of this epoch calls. Once it has been dropped, nothing that it says counts. */
  private host(): SessionHost {
    const { epoch, listeners } = this
    const ifCurrent =
      <Arguments extends unknown[]>(run: (...args: Arguments) => void) =>
      (...args: Arguments): void => {
        if (this.session !== undefined && this.epoch === epoch) run(...args)
      }
    return {
      begin: ifCurrent(() => {
        this.reason = 'catching up'
        listeners.reset(`epoch ${epoch} begins`)
      }),
      invalidate: ifCurrent((tags) => listeners.invalidate(tags)),
      settle: ifCurrent((tags) => listeners.settle(tags)),
      progress: ifCurrent(() => this.whole()),
      waiting: ifCurrent((reason) => {
        if (this.reason !== reason) this.settings.logger.warn({ epoch }, reason)
        this.reason = reason
      }),
    }
  }

  private whole(): void {
    if (this.reason !== undefined) {
      this.reason = undefined
      this.backoff.reset()
    }
    if (this.waiters.length > 0) this.release(undefined)
  }

  private release(error: Error | undefined): void {
    for (const { resolve, reject } of this.waiters.splice(0)) {
      if (error) reject(error)
      else resolve()
    }
  }

  private within<Value>(timeoutMs: number, promise: Promise<Value>, otherwise: Value): Promise<Value> {
    return new Promise((resolve) => {
      const timer = this.settings.clock.after(timeoutMs, () => resolve(otherwise))
      void promise.then((value) => {
        timer.cancel()
        resolve(value)
      })
    })
  }
}

function sameHistory(one: ParsedPosition, other: ParsedPosition): boolean {
  return one.systemId === other.systemId && one.timeline === other.timeline
}
