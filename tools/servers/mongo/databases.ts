/** The collections of one member: what the log says, applied up to some place. */
import { BSON } from 'mongodb'
import type { Change } from './oplog.ts'
import type { Document } from './wire.ts'

export interface StoredCollection {
  readonly documents: Map<string, Document>
  readonly options: Document
}

export class Databases {
  private readonly collections: Map<string, StoredCollection>

  constructor(collections: Map<string, StoredCollection> = new Map()) {
    this.collections = collections
  }

  /** A copy that changes by itself: what a transaction sees. */
  fork(): Databases {
    return new Databases(
      new Map(
        [...this.collections].map(([name, { documents, options }]) => [
          name,
          { documents: new Map(documents), options },
        ]),
      ),
    )
  }

  find(database: string, collection: string): StoredCollection | undefined {
    return this.collections.get(`${database}.${collection}`)
  }

  /** The documents of a collection, each a copy. */
  documents(database: string, collection: string): Document[] {
    return [...(this.find(database, collection)?.documents.values() ?? [])].map(copyOf)
  }

  /** The names of a database's collections. */
  names(database: string): string[] {
    const start = `${database}.`
    return [...this.collections.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length))
  }

  apply({ kind, database, collection, id, after, options, to }: Change): void {
    const name = `${database}.${collection}`
    if (kind === 'drop') this.collections.delete(name)
    else if (kind === 'dropDatabase')
      for (const own of this.names(database)) this.collections.delete(`${database}.${own}`)
    else if (kind === 'rename') this.rename(name, `${to!.database}.${to!.collection}`)
    else if (kind === 'create' || kind === 'modify') {
      const documents = this.collections.get(name)?.documents ?? new Map<string, Document>()
      this.collections.set(name, { documents, options: { ...this.collections.get(name)?.options, ...options } })
    } else if (kind === 'delete') this.collections.get(name)!.documents.delete(idKey(id))
    else this.collections.get(name)!.documents.set(idKey(id), after!)
  }

  private rename(from: string, to: string): void {
    this.collections.set(to, this.collections.get(from)!)
    this.collections.delete(from)
  }
}

/** Documents with the same `_id` have the same key. */
export function idKey(id: unknown): string {
  return BSON.EJSON.stringify({ id }, { relaxed: true })
}

export function copyOf(document: Document): Document {
  return BSON.deserialize(BSON.serialize(document, { ignoreUndefined: true }))
}

export function isSame(one: unknown, other: unknown): boolean {
  return BSON.EJSON.stringify({ value: one }) === BSON.EJSON.stringify({ value: other })
}
