/**
 * How changes are named: `orders` for any change of a collection, `orders:17` for one document, `orders:*` for all at once.
 *
 * A collection outside the feed's own database is written `database.collection`. An `_id` is written so that a person can read
 * it and so that ids that MongoDB takes for the same read the same: an ObjectId as 24 hex digits, a number in decimal, a string
 * as it stands, in quotes where it would read as something else, everything else as JSON.
 */
import { canonicalText } from './canonical-text.ts'

/** A collection and where it is. */
export interface CollectionName {
  readonly database: string
  readonly collection: string
}

/**
 * The tag of one document: `documentTag('orders', order._id)`. `collection` is a name in the feed's database, or
 * `{ database, collection }` of another.
 */
export function documentTag(collection: string | CollectionName, id: unknown): string {
  const tag =
    typeof collection === 'string'
      ? escapeName(collection)
      : `${escapeName(collection.database)}.${escapeName(collection.collection)}`
  return `${tag}:${idText(id)}`
}

/** The tag that any change of the collection carries. */
export function collectionTag({ database, collection }: CollectionName, home: string): string {
  return database === home ? escapeName(collection) : `${escapeName(database)}.${escapeName(collection)}`
}

/** The tag that stands for every document of the collection with this tag. */
export function bulkTag(collection: string): string {
  return `${collection}:*`
}

/** What would read as an id of another kind, as all documents, or as JSON. */
const AMBIGUOUS = /^(?:[0-9a-fA-F]{24}|[-+.\d].*|NaN|Infinity|null|true|false|\*|["{[].*|)$/s

export function idText(id: unknown): string {
  if (typeof id === 'string') return AMBIGUOUS.test(id) ? JSON.stringify(id) : id
  const number = numberOf(id)
  if (number !== undefined) return String(number)
  const { _bsontype, toHexString } = (id ?? {}) as { _bsontype?: string; toHexString?: () => string }
  if (_bsontype === 'ObjectId' && toHexString) return toHexString.call(id)
  // Inside of a compound id too, numbers that are equal have one text; what has no text at all shares one.
  return canonicalText(id, numberOf) ?? '{?}'
}

/** Numbers of all types that are equal become equal; so may some that are not, which voids too much and never too little. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) + 0
  const type = (value as { _bsontype?: string } | null | undefined)?._bsontype
  const isNumber = type === 'Long' || type === 'Int32' || type === 'Double' || type === 'Decimal128'
  return isNumber ? Number(String(value)) + 0 : undefined
}

function escapeName(name: string): string {
  return name.replace(/[%.:?]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
