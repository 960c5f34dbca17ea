/**
 * The feed of a replica set or sharded cluster: keeps one session running while somebody listens, begins a new epoch after what
 * a change stream cannot bridge, and tells all listeners the same.
 */
import { ClosedError, FeedError } from '../../core/errors.ts'
import type { Feed, FeedListener, Position } from '../../core/feed.ts'
import { Backoff } from '../backoff.ts'
import { SessionClosed } from '../epoch-end.ts'
import { Listeners } from '../listeners.ts'
import { SharedQuestion } from '../shared-question.ts'
import type { MongoClient, Timestamp } from './client.ts'
import { formatPosition, type ParsedPosition, parsePosition, timeOf } from './cluster-time.ts'
import { type MongoFeedOptions, type MongoFeedSettings, resolveOptions } from './options.ts'
import { Predicates } from './predicates.ts'
import type { Selection } from './selection.ts'
import { describeStatus, type MongoFeedStatus } from './status.ts'
import { StreamSession } from './stream-session.ts'
import type { CollectionName } from './tags.ts'

/** A feed of what MongoDB commits. See `Feed` for what a cache uses; the rest is for people and for tests. */
export interface MongoFeed extends Feed, AsyncDisposable {
  /**
   * Resolves once the feed is whole. Starts it, if no cache has yet.
   *
   * @throws FeedError (`ERR_FEED`) when the server has to be changed first; the feed goes on trying
   * @throws ClosedError (`ERR_CLOSED`) when the feed is closed meanwhile
   */
  ready(): Promise<void>
  /** Everything up to here was told; `undefined` while the feed is not whole. */
  position(): Position | undefined
  /**
   * A position that includes everything that was visible when this was called: one question to the primary for all who ask
   * meanwhile. A read that carries it as `atLeast` is linearizable, as far as the primary is the only one.
   *
   * @throws FeedError (`ERR_FEED`) while the feed is not whole
   */
  now(): Promise<Position>
  /** Resolves with true once everything up to the position was told; with false for another cluster, or after `timeoutMs`. */
  reached(position: Position, timeoutMs: number): Promise<boolean>
  /**
   * A cluster time such that a read of these collections after it (a session with `advanceOperationTime`, read concern
   * `majority`) has all that was told of them, and all up to the position, on whichever member it runs. `undefined` while the
   * feed cannot say it: it is not whole, or the position is of another cluster.
   */
  guard(collections: readonly string[], atLeast?: Position): Timestamp | undefined
  /** The tag of what depends on the documents that are selected: see `Predicates`. */
  watch(collection: string, selection: Selection, seesAfterOnly: boolean): string
  /** The tag of a collection that is told of. */
  tagOf(name: CollectionName): string | undefined
  /** How the feed is doing at this moment. */
  status(): MongoFeedStatus
}

/**
 * Makes a feed from the change streams of a MongoDB 4.4 or later. Nothing is opened until a cache subscribes, or `ready` is
 * called; when the last cache has gone the stream is closed.
 *
 * @throws OptionError (`ERR_OPTION`) for options that cannot work
 */
export function mongoFeed(options: MongoFeedOptions): MongoFeed {
  return new LiveMongoFeed(resolveOptions(options))
}

class LiveMongoFeed implements MongoFeed {
  readonly name = 'mongodb'
  readonly maxStalenessMs: number
  private readonly settings: MongoFeedSettings
  private readonly listeners: Listeners
  private readonly backoff: Backoff
  private readonly predicates = new Predicates((tag) => this.tell([tag]))
  private readonly present = new SharedQuestion(() => this.askPresent())
  private client: MongoClient | undefined
  private session: StreamSession | undefined
  private running: Promise<void> | undefined
  private waiters: { resolve: () => void; reject: (error: Error) => void }[] = []
  private epoch = 0
  private reason: string | undefined
  private isWanted = false
  private isClosed = false

  constructor(settings: MongoFeedSettings) {
    this.settings = settings
    this.maxStalenessMs = settings.maxStalenessMs
    this.listeners = new Listeners(settings.logger)
    this.backoff = new Backoff(settings.clock, settings.random)
  }

  subscribe(listener: FeedListener): () => void {
    if (this.isClosed) throw new ClosedError('the feed')
    const leave = this.listeners.add(listener)
    this.start()
    return () => {
      if (leave() && this.listeners.size === 0) void this.rest()
    }
  }

  covers(tag: string): string | undefined {
    return this.settings.scope.covers(tag)
  }

  freshAsOfMs(): number {
    return this.session?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  includes(position: Position): boolean {
    const parsed = this.parse(position)
    return parsed !== undefined && parsed.time <= this.session!.time!
  }

  position(): Position | undefined {
    const time = this.session?.time
    return time === undefined ? undefined : formatPosition({ cluster: this.session!.server!.cluster, time })
  }

  now(): Promise<Position> {
    return this.present.ask()
  }

  reached(position: Position, timeoutMs: number): Promise<boolean> {
    const parsed = this.parse(position)
    if (!parsed) return Promise.resolve(false)
    return new Promise((resolve) => {
      const timer = this.settings.clock.after(timeoutMs, () => resolve(false))
      void this.session!.reached(parsed.time).then((isReached) => {
        timer.cancel()
        resolve(isReached)
      })
    })
  }

  /** What is told is what a majority has, and loads are guarded by it: nothing is ever unsettled. */
  settled(): Promise<void> {
    return Promise.resolve()
  }

  guard(collections: readonly string[], atLeast?: Position): Timestamp | undefined {
    const time = atLeast === undefined ? 0n : this.parse(atLeast)?.time
    return time === undefined ? undefined : this.session?.guard(collections, time)
  }

  watch(collection: string, selection: Selection, seesAfterOnly: boolean): string {
    return this.predicates.watch(collection, selection, seesAfterOnly)
  }

  tagOf(name: CollectionName): string | undefined {
    return this.settings.scope.tagOf(name)
  }

  ready(): Promise<void> {
    if (this.isClosed) return Promise.reject(new ClosedError('the feed'))
    if (this.freshAsOfMs() > Number.NEGATIVE_INFINITY) return Promise.resolve()
    this.backoff.skip()
    this.start()
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }))
  }

  status(): MongoFeedStatus {
    const { session, epoch, reason, settings, isClosed, running } = this
    return describeStatus({ session, epoch, reason, settings, isClosed, isRunning: running !== undefined })
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.rest()
    if (this.settings.ownsClient) await this.client?.close()
    this.release(new ClosedError('the feed'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends the session, if there is one; a later subscriber starts another. */
  private async rest(): Promise<void> {
    const { session } = this
    this.isWanted = false
    this.session = undefined
    this.reason = undefined
    this.backoff.skip()
    this.listeners.reset('the feed was stopped')
    session?.close()
    await this.running
  }

  private start(): void {
    this.isWanted = true
    this.running ??= this.run().finally(() => {
      this.running = undefined
      if (this.isWanted && !this.isClosed) this.start()
    })
  }

  private async run(): Promise<void> {
    while (this.isWanted) {
      this.epoch++
      const error = await this.runEpoch().catch((cause: unknown) => cause as Error)
      if (error instanceof SessionClosed) continue
      this.lose(error)
      if (this.isWanted) await this.backoff.wait(error instanceof FeedError, this.waiters.length > 0)
    }
  }

  private async runEpoch(): Promise<Error> {
    this.client ??= await this.settings.connect()
    const { epoch } = this
    const isCurrent = (): boolean => this.session === session && this.epoch === epoch
    const session = new StreamSession(this.settings, this.client, this.predicates, {
      begin: () => isCurrent() && this.listeners.reset(`epoch ${epoch} begins`),
      tell: (tags) => isCurrent() && this.tell(tags),
      progress: () => isCurrent() && this.progress(),
      waiting: (reason) => isCurrent() && this.wait(reason),
    })
    this.session = session
    return await session.run()
  }

  private lose(error: Error): void {
    this.session = undefined
    this.reason = error.message
    this.settings.logger.warn({ error, epoch: this.epoch }, `the feed begins anew: ${error.message}`)
    this.listeners.reset(error.message)
    if (error instanceof FeedError) this.release(error)
  }

  /** A change that nobody has to wait for: whoever reads after the guard of its collection sees it. */
  private tell(tags: readonly string[]): void {
    this.listeners.invalidate(tags)
    this.listeners.settle(tags)
  }

  private progress(): void {
    this.backoff.reset()
    this.reason = undefined
    this.release(undefined)
  }

  private wait(reason: string): void {
    if (this.reason !== reason) this.settings.logger.warn({ epoch: this.epoch }, reason)
    this.reason = reason
  }

  private release(error: Error | undefined): void {
    for (const { resolve, reject } of this.waiters.splice(0)) {
      if (error) reject(error)
      else resolve()
    }
  }

  private async askPresent(): Promise<Position> {
    const server = this.session?.server
    if (this.session?.time === undefined || !server)
      throw new FeedError(`the feed cannot say where the server stands: ${this.reason ?? 'it is not whole'}`)
    return formatPosition({ cluster: server.cluster, time: timeOf(await this.session.now()) })
  }

  /** A position of this cluster, while the feed is whole. */
  private parse(position: Position): ParsedPosition | undefined {
    if (this.session?.time === undefined) return undefined
    const parsed = parsePosition(position)
    return parsed?.cluster === this.session.server!.cluster ? parsed : undefined
  }
}
