/**
 * What the cached collections of one client and one feed know together, so that a collection may be wrapped as often as one
 * likes: what was written, what the collections are, and whether the client leads to where the feed reads.
 */
import type { Position } from '../../../core/feed.ts'
import { OwnWrites } from '../../own-writes.ts'
import type { Document, MongoClient, MongoDb, MongoSession } from '../client.ts'
import type { MongoFeed } from '../feed.ts'
import { type LostConnections, lostConnections } from '../lost-connections.ts'
import { answerWithin, LONG_PATIENCE_MS } from '../patience.ts'
import { serverOf } from '../server.ts'
import { type CollectionFacts, CollectionFactsCache } from './collection-facts.ts'

const STATES = new WeakMap<MongoFeed, WeakMap<MongoClient, ClientState>>()
const WRITES = new WeakMap<MongoFeed, OwnWrites>()
const HAVE_WRITTEN = new WeakSet<MongoFeed>()

/** For who must not be given less than something: a secondary may not have it. */
export const FROM_PRIMARY: Document = { readPreference: 'primary' }

export function clientState(client: MongoClient, feed: MongoFeed): ClientState {
  const ofFeed = STATES.get(feed) ?? new WeakMap<MongoClient, ClientState>()
  STATES.set(feed, ofFeed)
  const state = ofFeed.get(client) ?? new ClientState(client, feed)
  ofFeed.set(client, state)
  return state
}

export class ClientState {
  readonly losses: LostConnections
  private readonly client: MongoClient
  private readonly feed: MongoFeed
  /** By database. */
  private readonly facts = new Map<string, CollectionFactsCache>()
  /** What this process has written, by whichever client. */
  private readonly writes: OwnWrites
  /** Sessions that wrote within a transaction that may still be open. */
  private readonly writing = new Set<MongoSession>()
  /** For which epoch of the feed it was asked whether the client is of the feed's cluster, and the answer. */
  private origin: { readonly epoch: number; readonly isSame: Promise<boolean> } | undefined

  constructor(client: MongoClient, feed: MongoFeed) {
    this.client = client
    this.feed = feed
    this.losses = lostConnections(client)
    this.writes = WRITES.get(feed) ?? new OwnWrites(() => feed.now())
    WRITES.set(feed, this.writes)
  }

  /** Rejects when the server cannot be asked. */
  factsOf(database: MongoDb, collection: string): Promise<CollectionFacts> {
    const { facts, feed } = this
    const generation = () => `${feed.status().epoch}/${feed.status().generation}`
    const known = facts.get(database.databaseName) ?? new CollectionFactsCache(database, generation)
    facts.set(database.databaseName, known)
    return known.of(collection)
  }

  /** A write has ended, well or not: who reads after it is not answered with less. */
  wrote(session: MongoSession | undefined): void {
    HAVE_WRITTEN.add(this.feed)
    if (session?.inTransaction() === true) this.writing.add(session)
    else this.writes.wrote()
  }

  /**
   * How to ask while the feed cannot be asked. Who has written asks the primary: a secondary may lack even what the feed has
   * told before it was interrupted.
   */
  get asIs(): Document {
    return HAVE_WRITTEN.has(this.feed) ? FROM_PRIMARY : {}
  }

  /** A position that covers every write so far; `undefined` when the feed has told them all. */
  floor(): Promise<Position | undefined> {
    // Transactions that have ended since may have committed.
    for (const session of this.writing) {
      if (session.inTransaction()) continue
      this.writing.delete(session)
      this.writes.wrote()
    }
    return this.writes.floor((position) => this.feed.includes(position))
  }

  /** Whether the client is of the cluster that the feed tells of: asked once in each of its epochs. */
  isOfFeed(): Promise<boolean> {
    const { epoch } = this.feed.status()
    if (this.origin?.epoch !== epoch) this.origin = { epoch, isSame: this.askOrigin(epoch) }
    return this.origin.isSame
  }

  private async askOrigin(epoch: number): Promise<boolean> {
    try {
      const ask = () => this.client.db('admin').command({ hello: 1 })
      const { server } = serverOf(await answerWithin(LONG_PATIENCE_MS, ask))
      const { cluster, electionId } = this.feed.status()
      // While the feed is beginning it does not know either.
      if (cluster === undefined) this.origin = undefined
      return server.cluster === cluster && server.electionId === electionId
    } catch {
      if (this.origin?.epoch === epoch) this.origin = undefined
      return false
    }
  }
}
