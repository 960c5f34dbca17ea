/** What a collection is, as far as it decides what may be kept of it: asked once, and again after a collection was dropped or renamed. */
import type { MongoDb } from '../client.ts'
import { answerWithin, LONG_PATIENCE_MS } from '../patience.ts'

export interface CollectionFacts {
  /** Why nothing of it is kept. */
  readonly reason: string | undefined
  /** It compares strings in its own way. */
  readonly hasCollation: boolean
  /** It keeps its documents as they were before and after a change. */
  readonly hasImages: boolean
}

interface Listed {
  readonly type?: string
  readonly options?: {
    readonly capped?: boolean
    readonly collation?: object
    readonly changeStreamPreAndPostImages?: { readonly enabled?: boolean }
  }
}

export class CollectionFactsCache {
  private readonly known = new Map<string, Promise<CollectionFacts>>()
  private readonly database: MongoDb
  private readonly generation: () => string
  private takenFor = ''

  /** @param generation changes whenever a collection may have become another one */
  constructor(database: MongoDb, generation: () => string) {
    this.database = database
    this.generation = generation
  }

  /** Rejects when the server cannot be asked. */
  of(name: string): Promise<CollectionFacts> {
    const generation = this.generation()
    if (generation !== this.takenFor) this.known.clear()
    this.takenFor = generation
    const found = this.known.get(name) ?? this.ask(name)
    this.known.set(name, found)
    return found
  }

  private async ask(name: string): Promise<CollectionFacts> {
    try {
      const list = () => this.database.listCollections({ name }).toArray()
      const [listed] = (await answerWithin(LONG_PATIENCE_MS, list)) as unknown as Listed[]
      const { type, options } = listed ?? {}
      // One that does not exist yet may become anything, without an event that says what.
      if (listed === undefined) this.known.delete(name)
      const what = listed === undefined ? 'does not exist' : options?.capped === true ? 'is capped' : `is a ${type}`
      const isPlain = type === 'collection' && options?.capped !== true
      const reason = isPlain ? undefined : `${name} ${what}, and not all that changes it is told`
      const hasImages = options?.changeStreamPreAndPostImages?.enabled === true
      return { reason, hasCollation: options?.collation !== undefined, hasImages }
    } catch (error) {
      this.known.delete(name)
      throw error
    }
  }
}
