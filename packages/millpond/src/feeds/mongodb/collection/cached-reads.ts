/** Answers reads of one collection from the cache where that can be proven right, and from the server everywhere else. */
import type { Position } from '../../../core/feed.ts'
import { OwnWrites } from '../../own-writes.ts'
import type { ReadMode } from '../../read-mode.ts'
import { canonicalText } from '../canonical-text.ts'
import type { Document, MongoSession, Timestamp } from '../client.ts'
import { type LostConnections, lostConnections } from '../lost-connections.ts'
import { answerWithin, PATIENCE_MS } from '../patience.ts'
import { serverOf } from '../server.ts'
import { KeptAnswer } from './answer.ts'
import type { CachedCollectionOptions } from './cached-collection.ts'
import { CollectionFactsCache } from './collection-facts.ts'
import type { MongoCollection } from './mongo-collection.ts'
import { doesWrite, type MongoRead, shapeOf } from './read-shape.ts'
import { type Plan, planOf } from './tag-plan.ts'

/** Runs a read with these options besides its own. */
export type RunRead = (extra: Document) => Promise<unknown>

/** Why a read is kept or not, for people. */
export interface ReadExplanation {
  readonly cacheable: boolean
  /** Why not, in words; none when it is. */
  readonly reasons: readonly string[]
  /** What can make the answer old, in words. */
  readonly dependencies: readonly string[]
}

/** How long is waited, in milliseconds: for the feed, and for an answer before the read is put again. */
export interface ReadLimits {
  readonly waitMs: number
  readonly patienceMs: number
}

/** For who must not be given less than something: a secondary may not have it. */
const FROM_PRIMARY: Document = { readPreference: 'primary' }

export class CachedReads {
  private readonly collection: MongoCollection
  private readonly options: CachedCollectionOptions
  private readonly limits: ReadLimits
  private readonly facts: CollectionFactsCache
  private readonly writes: OwnWrites
  private readonly losses: LostConnections
  /** Sessions that wrote within a transaction that may still be open. */
  private readonly writing = new Set<MongoSession>()
  /** For which epoch of the feed it was asked whether the collection is of the feed's cluster, and the answer. */
  private origin: { readonly epoch: number; readonly isSame: Promise<boolean> } | undefined

  constructor(collection: MongoCollection, options: CachedCollectionOptions, limits: ReadLimits) {
    this.collection = collection
    this.options = options
    this.limits = limits
    const { feed } = options
    this.facts = new CollectionFactsCache(collection.db, () => {
      const { epoch, generation } = feed.status()
      return `${epoch}/${generation}`
    })
    this.losses = lostConnections(collection.db.client)
    this.writes = new OwnWrites(() => this.present())
  }

  /** What the read answers; `ask` asks the server. */
  async read(read: MongoRead, mode: ReadMode | undefined, ask: RunRead): Promise<unknown> {
    // A pipeline that writes must not run twice.
    const run: RunRead = doesWrite(read) ? ask : (extra) => this.surely(() => ask(extra))
    // Who may not ask what a collection is reads it all the same.
    const plan = await this.plan(read).catch(() => undefined)
    const key = plan?.reasons.length === 0 ? this.keyOf(read) : undefined
    if (!plan || key === undefined || !(await this.isOfFeed())) return await run({})
    const floor = await this.reached(mode ?? this.options.read ?? 'bounded')
    if (!floor) return await run(FROM_PRIMARY)
    const { atLeast } = floor
    const kept = await this.options.cache.getOrSet<KeptAnswer>(
      key,
      async (ctx) => {
        const answer = await this.load(plan.collections, atLeast, ask)
        const kept = new KeptAnswer(answer.value)
        if (!answer.isSure) return ctx.skip(kept)
        ctx.set({ tags: plan.tagsOfAnswer(answer.value) })
        return kept
      },
      { tags: plan.tags(), ttl: 'forever', ...(atLeast !== undefined && { atLeast }) },
    )
    return kept.handOut()
  }

  async explain(read: MongoRead): Promise<ReadExplanation> {
    const { reasons, words } = await this.plan(read)
    const noKey = reasons.length === 0 && this.keyOf(read) === undefined
    const all = noKey ? ['it has a value whose text is not unique, so there is no key for it'] : reasons
    return { cacheable: all.length === 0, reasons: all, dependencies: all.length === 0 ? words : [] }
  }

  /** A write has ended, well or not: who reads after it is not answered with less. */
  wrote(session: MongoSession | undefined): void {
    if (session?.inTransaction() === true) this.writing.add(session)
    else this.writes.wrote()
  }

  private async plan(read: MongoRead): Promise<Plan> {
    const { collection, facts, options } = this
    const shape = shapeOf(read)
    return await planOf(read, shape, {
      feed: options.feed,
      facts: (name) => facts.of(name),
      database: collection.dbName,
      collection: collection.collectionName,
    })
  }

  private keyOf(read: MongoRead): string | undefined {
    const { name = 'mongodb' } = this.options
    const { dbName, collectionName } = this.collection
    return canonicalText([name, dbName, collectionName, { ...read }])
  }

  /**
   * The read in a session that has to have all that was told of these collections before it began: the member that answers may
   * be another than the one that the feed reads. `isSure`: it was, and the feed was whole.
   */
  private async load(
    collections: readonly string[],
    atLeast: Position | undefined,
    ask: RunRead,
  ): Promise<{ readonly value: unknown; readonly isSure: boolean }> {
    const time = this.options.feed.guard(collections, atLeast)
    const asIs = () => ask(atLeast === undefined ? {} : FROM_PRIMARY)
    const value = await this.surely(time === undefined ? asIs : () => this.readAfter(time, ask))
    return { value, isSure: time !== undefined }
  }

  private async readAfter(time: Timestamp, ask: RunRead): Promise<unknown> {
    const session = this.collection.db.client.startSession({ causalConsistency: true })
    try {
      session.advanceOperationTime(time as never)
      return await ask({ session, readConcern: { level: 'majority' } })
    } finally {
      await session.endSession()
    }
  }

  /**
   * What the reader may not be served less than; when it returns, the feed has told up to there, if it does so in time.
   * `undefined`: nobody can say what that is, as the feed is not whole; the server knows.
   */
  private async reached(mode: ReadMode): Promise<{ readonly atLeast: Position | undefined } | undefined> {
    const { feed } = this.options
    try {
      this.noteCommits()
      const atLeast =
        mode === 'strict'
          ? await this.present()
          : mode === 'bounded'
            ? await this.writes.floor((position) => feed.includes(position))
            : mode.atLeast
      if (atLeast !== undefined && !feed.includes(atLeast)) await feed.reached(atLeast, this.limits.waitMs)
      return { atLeast }
    } catch {
      return undefined
    }
  }

  /** The answer, also where the driver has lost the first question. */
  private surely(put: () => Promise<unknown>): Promise<unknown> {
    return this.losses.firstAnswer(put, this.limits.patienceMs)
  }

  /** Where the feed's server stands now, if it says so in time. */
  private present(): Promise<Position> {
    return answerWithin(this.limits.waitMs, () => this.options.feed.now())
  }

  /** Transactions that have ended since may have committed. */
  private noteCommits(): void {
    for (const session of this.writing) {
      if (session.inTransaction()) continue
      this.writing.delete(session)
      this.writes.wrote()
    }
  }

  /** Whether the collection is of the cluster that the feed tells of: asked once in each of its epochs. */
  private isOfFeed(): Promise<boolean> {
    const { epoch } = this.options.feed.status()
    if (this.origin?.epoch !== epoch) this.origin = { epoch, isSame: this.askOrigin(epoch) }
    return this.origin.isSame
  }

  private async askOrigin(epoch: number): Promise<boolean> {
    try {
      const ask = () => this.collection.db.client.db('admin').command({ hello: 1 })
      const { server } = serverOf(await answerWithin(PATIENCE_MS, ask))
      const { cluster, electionId } = this.options.feed.status()
      const isSame = server.cluster === cluster && server.electionId === electionId
      // While the feed is beginning it does not know either.
      if (cluster === undefined) this.origin = undefined
      return isSame
    } catch {
      if (this.origin?.epoch === epoch) this.origin = undefined
      return false
    }
  }
}
