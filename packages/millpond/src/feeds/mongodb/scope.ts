/** What a feed tells of: some collections, or whole databases. Decides which stream is opened, and what is covered. */
import type { ChangeStream, Document, MongoClient } from './client.ts'
import { bulkTag, type CollectionName, collectionTag } from './tags.ts'

export interface ScopeParts {
  /** The database whose collections have tags without its name. */
  readonly home: string
  readonly collections: readonly CollectionName[]
  /** Databases that are told of whole. */
  readonly databases: readonly string[]
}

/** Events without which the end of a collection would go unnoticed. */
const ALWAYS_TOLD = ['drop', 'rename', 'dropDatabase', 'invalidate']

export class Scope {
  readonly home: string
  private readonly parts: ScopeParts
  private readonly tags: ReadonlySet<string>

  constructor(parts: ScopeParts) {
    this.parts = parts
    this.home = parts.home
    this.tags = new Set(parts.collections.map((name) => collectionTag(name, parts.home)))
  }

  /** The tag of a collection that is told of. */
  tagOf(name: CollectionName): string | undefined {
    const tag = collectionTag(name, this.home)
    return this.tags.has(tag) || this.parts.databases.includes(name.database) ? tag : undefined
  }

  /** `orders`, `orders:17` and `orders?...` are covered as the collection is; their bulk tag. */
  covers(tag: string): string | undefined {
    const end = tag.search(/[:?]/)
    const collection = end < 0 ? tag : tag.slice(0, end)
    return this.tags.has(collection) || this.isOfDatabase(collection) ? bulkTag(collection) : undefined
  }

  /** The narrowest stream that has everything. */
  open(client: MongoClient, options: Document): ChangeStream {
    const { collections, databases } = this.parts
    const [only] = collections
    if (databases.length === 0 && collections.length === 1)
      return client.db(only!.database).collection(only!.collection).watch([], options)
    const all = [...new Set([...databases, ...collections.map(({ database }) => database)])]
    const pipeline = [{ $match: this.filter() }]
    return all.length === 1 ? client.db(all[0]).watch(pipeline, options) : client.watch(pipeline, options)
  }

  private filter(): Document {
    const { collections, databases } = this.parts
    return {
      $or: [
        { operationType: { $in: ALWAYS_TOLD } },
        { 'ns.db': { $in: databases } },
        ...collections.map(({ database, collection }) => ({ 'ns.db': database, 'ns.coll': collection })),
      ],
    }
  }

  /** A name without a database is one of the home's; names of collections are not known before they are told. */
  private isOfDatabase(tag: string): boolean {
    const { databases } = this.parts
    if (!tag.includes('.')) return databases.includes(this.home)
    const others = databases.filter((database) => database !== this.home)
    return others.some((database) => tag.startsWith(collectionTag({ database, collection: '' }, this.home)))
  }
}
