/** Answers reads of one collection from the cache where that can be proven right, and from the server everywhere else. */
import type { Position } from '../../../core/feed.ts'
import { loadPackage } from '../../../core/late-package.ts'
import { type ReadFloor, readFloor } from '../../read-floor.ts'
import type { ReadMode } from '../../read-mode.ts'
import { canonicalText } from '../canonical-text.ts'
import type { Document, Timestamp } from '../client.ts'
import { answerWithin } from '../patience.ts'
import type { Mingo } from '../selection.ts'
import { KeptAnswer } from './answer.ts'
import type { CachedCollectionOptions } from './cached-collection.ts'
import { type ClientState, clientState, FROM_PRIMARY } from './client-state.ts'
import type { MongoCollection } from './mongo-collection.ts'
import { type CollectionStatus, ReadCounts } from './read-counts.ts'
import { doesWrite, type MongoRead, shapeOf } from './read-shape.ts'
import { type Dependency, type Plan, planOf } from './tag-plan.ts'

/** Runs a read with these options besides its own. */
export type RunRead = (extra: Document) => Promise<unknown>

/** Why a read is kept or not, for people. */
export interface ReadExplanation {
  readonly cacheable: boolean
  /** Why not, in words; none when it is. */
  readonly reasons: readonly string[]
  /** For each collection that is read: which of its documents can make the answer old, and by which changes. */
  readonly dependencies: readonly Dependency[]
}

/** How long is waited, in milliseconds: for the feed, and for an answer before the read is put again. */
export interface ReadLimits {
  readonly waitMs: number
  readonly patienceMs: number
}

const NO_PROOF = 'the feed could not say in time what must not be missing'

/** Why a read is not kept. */
function reasonsOf(plan: Plan | undefined): readonly string[] {
  if (plan === undefined) return ['the server could not be asked what the collection is']
  return plan.reasons.length > 0 ? plan.reasons : ['it has a value whose text is not unique, so there is no key for it']
}

let installed: Promise<Mingo | undefined> | undefined

/** The package `mingo`, looked for once. */
function installedMingo(): Promise<Mingo | undefined> {
  installed ??= loadPackage('mingo').then(
    (found) => (typeof (found as Partial<Mingo>).Query === 'function' ? (found as Mingo) : undefined),
    () => undefined,
  )
  return installed
}

export class CachedReads {
  private readonly collection: MongoCollection
  private readonly options: CachedCollectionOptions
  private readonly limits: ReadLimits
  private readonly state: ClientState
  private readonly counts = new ReadCounts()

  constructor(collection: MongoCollection, options: CachedCollectionOptions, limits: ReadLimits) {
    this.collection = collection
    this.options = options
    this.limits = limits
    this.state = clientState(collection.db.client, options.feed)
  }

  /** What the read answers; `ask` asks the server. */
  async read(read: MongoRead, wanted: ReadMode | undefined, ask: RunRead): Promise<unknown> {
    const mode = wanted ?? this.options.read ?? 'bounded'
    // A pipeline that writes must not run twice.
    const run: RunRead = doesWrite(read) ? ask : (extra) => this.surely(() => ask(extra))
    // Who may not ask what a collection is reads it all the same.
    const plan = await this.plan(read).catch(() => undefined)
    const key = plan?.reasons.length === 0 ? this.keyOf(read) : undefined
    if (!plan || key === undefined) {
      this.counts.pass(reasonsOf(plan))
      // What cannot be asked just now is one thing, what is never kept another: that is read as the driver would.
      const asIs = plan ? {} : this.state.asIs
      return await run(mode === 'bounded' ? asIs : FROM_PRIMARY)
    }
    const floor = (await this.state.isOfFeed()) ? await this.reached(mode) : undefined
    if (!floor) {
      this.counts.pass([NO_PROOF])
      return await run(mode === 'bounded' ? this.state.asIs : FROM_PRIMARY)
    }
    return await this.kept(key, plan, floor.atLeast, ask)
  }

  private async kept(key: string, plan: Plan, atLeast: Position | undefined, ask: RunRead): Promise<unknown> {
    const { counts } = this
    let isLoaded = false
    const kept = await this.options.cache.getOrSet<KeptAnswer>(
      key,
      async (ctx) => {
        isLoaded = true
        counts.loads++
        const answer = await this.load(plan.collections, atLeast, ask)
        const kept = new KeptAnswer(answer.value)
        if (!answer.isSure) return ctx.skip(kept)
        counts.kept++
        ctx.set({ tags: plan.tagsOfAnswer(answer.value) })
        // Whichever member answered: it may lack what has not been told yet.
        return ctx.fromReplica(kept)
      },
      { tags: plan.tags(), ttl: 'forever', ...(atLeast !== undefined && { atLeast }) },
    )
    if (!isLoaded) counts.hits++
    return kept.handOut()
  }

  async explain(read: MongoRead): Promise<ReadExplanation> {
    const plan = await this.plan(read)
    const isKept = plan.reasons.length === 0 && this.keyOf(read) !== undefined
    return { cacheable: isKept, reasons: isKept ? [] : reasonsOf(plan), dependencies: isKept ? plan.dependencies : [] }
  }

  status(): CollectionStatus {
    return this.counts.show(this.options.feed.status())
  }

  private async plan(read: MongoRead): Promise<Plan> {
    const { collection, state, options } = this
    return await planOf(read, shapeOf(read), {
      feed: options.feed,
      mingo: await (options.mingo ?? installedMingo()),
      facts: (name) => state.factsOf(collection.db, name),
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
    const asIs = () => ask(atLeast === undefined ? this.state.asIs : FROM_PRIMARY)
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

  /** What the reader may not be served less than: see `readFloor`. */
  private reached(mode: ReadMode): Promise<ReadFloor | undefined> {
    const { feed } = this.options
    const now = () => this.inTime(() => feed.now())
    const own = () => this.inTime(() => this.state.floor())
    return readFloor(mode, { feed, now, own, waitMs: this.limits.waitMs })
  }

  /** The answer, also where the driver has lost the first question. */
  private surely(put: () => Promise<unknown>): Promise<unknown> {
    return this.state.losses.firstAnswer(put, this.limits.patienceMs)
  }

  private inTime<T>(put: () => Promise<T>): Promise<T> {
    return answerWithin(this.limits.waitMs, put)
  }
}
