/**
 * One epoch of a feed: everything that the cluster has committed since the epoch's first moment is told, once and in order, by
 * however many streams, each of which goes on where the one before has ended.
 *
 * A stream tells what a majority has; a `hello` of the primary names the latest time that anybody can have seen anything of. Asked
 * at τ, it proves that nothing visible at τ is missing, once the stream has passed that time.
 *
 * The epoch ends when the place to go on from is lost, and when another primary was elected: what the old one has shown and the
 * majority did not have is rolled back, without an event.
 */
import { sleep } from '../../core/clock.ts'
import { FeedError } from '../../core/errors.ts'
import { Failure, SessionClosed } from '../epoch-end.ts'
import { Settler } from '../settler.ts'
import { Watermark } from '../watermark.ts'
import { type ChangeEvent, readEvent } from './change-events.ts'
import type { ChangeStream, Document, MongoClient, Timestamp } from './client.ts'
import { type ClusterTime, timeOf, timeOfToken, timestampLike } from './cluster-time.ts'
import type { MongoFeedSettings } from './options.ts'
import { NoAnswer, PATIENCE_MS, Patience } from './patience.ts'
import type { Predicates } from './predicates.ts'
import { type Server, serverOf } from './server.ts'
import { isHistoryLost, refusal } from './server-errors.ts'

/** What a session tells its feed. */
export interface StreamHost {
  /** The epoch begins: what was cached before does not count. Called before the first `tell`. */
  begin(): void
  tell(tags: readonly string[]): void
  /** Nothing is missing as of a later moment than before. */
  progress(): void
  /** What the session is waiting for, as shown in `status()`. */
  waiting(reason: string): void
}

/** From where a stream is opened: an option of `watch`. */
type Start = { startAtOperationTime: Timestamp } | { resumeAfter: unknown } | { startAfter: unknown }

/** Images of documents before and after a change, since MongoDB 6.0. */
const IMAGES_WIRE_VERSION = 17
const RETRY_MS = 20

export class StreamSession {
  server: Server | undefined
  readonly facts: { events: number; questions: number; streams: number } = { events: 0, questions: 0, streams: 0 }
  private readonly settings: MongoFeedSettings
  private readonly client: MongoClient
  private readonly predicates: Predicates
  private readonly host: StreamHost
  private readonly failure = new Failure()
  private readonly settler: Settler
  private readonly patience: { readonly primary: Patience; readonly stream: Patience }
  /** When the primary last answered or refused. */
  private heardAtMs: number
  private watermark: Watermark | undefined
  private stream: ChangeStream | undefined
  /** When each collection was last told of. */
  private readonly toldAt = new Map<string, ClusterTime>()
  private beganAt: Timestamp | undefined
  private hasEnded = false
  /** Counts changes of whole collections: what a collection is has to be asked again. */
  generation = 0

  constructor(settings: MongoFeedSettings, client: MongoClient, predicates: Predicates, host: StreamHost) {
    this.settings = settings
    this.client = client
    this.predicates = predicates
    this.host = host
    const { clock, heartbeatMs, stallTimeoutMs } = settings
    const patience = () => new Patience(clock, Math.max(PATIENCE_MS, 2 * heartbeatMs), stallTimeoutMs)
    this.patience = { primary: patience(), stream: patience() }
    this.heardAtMs = clock.monotonic()
    const ask = (askedAtMs: number) => this.ask(askedAtMs)
    this.settler = new Settler({ clock, heartbeatMs, stallTimeoutMs, ask, failed: this.failure.raise })
  }

  /** Runs the epoch; rejects with what ended it, never resolves. */
  async run(): Promise<never> {
    try {
      return await Promise.race([this.failure.promise, this.live()])
    } finally {
      this.end()
    }
  }

  close(): void {
    this.failure.raise(new SessionClosed())
  }

  get freshAsOfMs(): number {
    return this.watermark?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  }

  /** Everything up to here was told; `undefined` until the epoch is whole. */
  get time(): ClusterTime | undefined {
    return this.freshAsOfMs === Number.NEGATIVE_INFINITY ? undefined : this.watermark?.position
  }

  /** Resolves with whether everything up to the time was told before the epoch ended. */
  reached(time: ClusterTime): Promise<boolean> {
    this.settler.request()
    return this.watermark?.reached(time) ?? Promise.resolve(false)
  }

  /** Where the primary stands now. */
  async now(): Promise<Timestamp> {
    return (await this.insist(() => this.present())).time
  }

  /** A read after this time has all that was told of these collections. */
  guard(collections: readonly string[], atLeast: ClusterTime): Timestamp | undefined {
    const { beganAt } = this
    if (beganAt === undefined) return undefined
    const times = collections.flatMap((tag) => this.toldAt.get(tag) ?? [])
    const latest = [timeOf(beganAt), atLeast, ...times].reduce((one, other) => (one > other ? one : other))
    return timestampLike(beganAt, latest)
  }

  private async live(): Promise<never> {
    this.host.waiting('connecting')
    const { server, time } = await this.insist(() => this.hello())
    this.server = server
    this.beganAt = time
    this.watermark = new Watermark(timeOf(time) - 1n)
    this.host.begin()
    this.settler.request()
    return await this.follow({ startAtOperationTime: time })
  }

  private async follow(first: Start): Promise<never> {
    let start = first
    for (;;) {
      try {
        start = await this.read(start)
      } catch (error) {
        if (this.hasEnded) throw new SessionClosed()
        if (isHistoryLost(error)) throw error
        const refused = refusal(error)
        if (refused) throw refused
        start = this.resumePoint(start)
        this.host.waiting(`the stream was interrupted: ${(error as Error).message}`)
        await sleep(this.settings.clock, RETRY_MS)
      }
    }
  }

  /** Reads one stream to its end. Resolves with where the next begins. */
  private async read(start: Start): Promise<Start> {
    const { client, patience } = this
    this.facts.streams++
    const stream = this.settings.scope.open(client, { ...this.streamOptions(), ...start })
    this.stream = stream
    try {
      for (;;) {
        const event = (await patience.stream.ask(() => stream.tryNext())) as ChangeEvent | null
        if (event === null) this.passed(stream.resumeToken)
        else this.take(event)
        if (this.hasEnded) throw new SessionClosed()
        if (event?.operationType === 'invalidate') return { startAfter: event._id }
      }
    } finally {
      void stream.close().catch(() => {})
    }
  }

  private streamOptions(): Document {
    const { maxWireVersion } = this.server!
    const images = { fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' }
    return {
      maxAwaitTimeMS: Math.ceil(this.settings.heartbeatMs),
      ...(maxWireVersion >= IMAGES_WIRE_VERSION && images),
    }
  }

  /** Behind the last event; where there was none yet, where the stream was to begin. */
  private resumePoint(start: Start): Start {
    const token = this.stream?.resumeToken ?? undefined
    return token === undefined || ('startAfter' in start && start.startAfter === token) ? start : { resumeAfter: token }
  }

  private take(event: ChangeEvent): void {
    const { time, collections, tags, isBulk, isAll } = readEvent(event, this.settings.scope, this.predicates)
    // The epoch's first moment is told once more; what loads see includes it.
    if (time !== undefined && time <= timeOf(this.beganAt!)) return
    this.facts.events++
    if (isAll) throw new HistoryEnd(`${event.operationType} of a whole database`)
    if (isBulk) this.generation++
    if (time !== undefined) {
      if (timeOfToken(event._id) !== time) throw unreadableToken()
      for (const tag of collections) this.toldAt.set(tag, time)
    }
    if (tags.length > 0) this.host.tell(tags)
    // Others of the same moment may follow.
    if (time !== undefined) this.watermark!.advance(time - 1n)
    this.progress()
  }

  /**
   * The stream is at the end of the log, as far as the token says: all of that moment was told too. Where several shards are
   * merged, others may still have something of the same moment.
   */
  private passed(token: unknown): void {
    const time = timeOfToken(token)
    if (time === undefined) throw unreadableToken()
    this.watermark!.advance(this.server!.isSharded ? time - 1n : time)
    this.progress()
  }

  /** Returns whether to ask again soon: nobody answered. */
  private async ask(askedAtMs: number): Promise<boolean> {
    this.facts.questions++
    let answer: Awaited<ReturnType<StreamSession['hello']>>
    try {
      answer = await this.present()
    } catch (error) {
      if (error instanceof FeedError || error instanceof NewPrimary || this.isSilent(error)) throw error
      this.host.waiting(`the primary does not answer: ${(error as Error).message}`)
      return true
    }
    this.heardAtMs = this.settings.clock.monotonic()
    this.watermark?.expect(askedAtMs, timeOf(answer.time))
    this.progress()
    return false
  }

  /**
   * A `hello` of the primary of this epoch. Another one ends the epoch, whoever asked: what was kept before must not be
   * handed out under a position of the new one.
   */
  private async present(): ReturnType<StreamSession['hello']> {
    const answer = await this.hello()
    const { server: known } = this
    const { cluster, electionId } = answer.server
    if (known === undefined || (cluster === known.cluster && electionId === known.electionId)) return answer
    const error = new NewPrimary('another primary was elected')
    this.failure.raise(error)
    throw error
  }

  /** The answer to a question that is put again where it may have been lost. */
  private async insist<T>(put: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await put()
      } catch (error) {
        if (this.hasEnded) throw new SessionClosed()
        if (!(error instanceof NoAnswer) || this.isSilent(error)) throw error
      }
    }
  }

  private async hello(): Promise<{ server: Server; time: Timestamp }> {
    return serverOf(await this.patience.primary.ask(() => this.client.db('admin').command({ hello: 1 })))
  }

  /** Whether nothing was heard of the primary for so long that it counts as lost. */
  private isSilent(error: unknown): boolean {
    const { clock, stallTimeoutMs } = this.settings
    const nowMs = clock.monotonic()
    if (!(error instanceof NoAnswer)) this.heardAtMs = nowMs
    return nowMs - this.heardAtMs >= stallTimeoutMs
  }

  private progress(): void {
    if (this.freshAsOfMs > Number.NEGATIVE_INFINITY) this.host.progress()
  }

  private end(): void {
    this.hasEnded = true
    this.settler.stop()
    this.watermark?.end()
    void this.stream?.close().catch(() => {})
  }
}

/** What the old primary has shown may be undone. */
class NewPrimary extends Error {}

/** Ends an epoch for a reason that the stream itself has told. */
class HistoryEnd extends Error {
  readonly code = 286
}

function unreadableToken(): FeedError {
  return new FeedError(
    'the resume tokens of this server do not say their time as those of MongoDB 4.0 to 8 do, so freshness cannot be proven; use a ttl instead of the feed',
  )
}
