/** What an event of a change stream means for whoever listens. */
import type { Document, Timestamp } from './client.ts'
import { type ClusterTime, timeOf } from './cluster-time.ts'
import type { Images, Predicates } from './predicates.ts'
import type { Scope } from './scope.ts'
import { bulkTag, type CollectionName, idText } from './tags.ts'

/** An event as the driver hands it out. */
export interface ChangeEvent {
  readonly _id: unknown
  readonly operationType: string
  readonly clusterTime?: Timestamp
  readonly ns?: { readonly db: string; readonly coll?: string }
  readonly to?: { readonly db: string; readonly coll: string }
  readonly documentKey?: { readonly _id: unknown }
  readonly fullDocument?: Document | null
  readonly fullDocumentBeforeChange?: Document | null
}

/** What the event makes void. */
export interface Told {
  readonly time: ClusterTime | undefined
  /** Collections that it concerns. */
  readonly collections: readonly string[]
  readonly tags: readonly string[]
  /** Whole collections may be others than before. */
  readonly isBulk: boolean
  /** It cannot be said what is void: everything is. */
  readonly isAll: boolean
}

export function readEvent(event: ChangeEvent, scope: Scope, predicates: Predicates): Told {
  const time = event.clusterTime && timeOf(event.clusterTime)
  const names = [nameOf(event.ns), nameOf(event.to)].filter((name) => name !== undefined)
  const collections = names.flatMap((name) => scope.tagOf(name) ?? [])
  const images = imagesOf(event)
  if (images === undefined || event.documentKey === undefined) {
    const isAll = event.operationType !== 'invalidate' && names.length === 0
    return { time, collections, tags: collections.flatMap((tag) => [tag, bulkTag(tag)]), isBulk: true, isAll }
  }
  const { _id } = event.documentKey
  const tags = collections.flatMap((tag) => [tag, `${tag}:${idText(_id)}`, ...predicates.tagsOf(tag, images)])
  return { time, collections, tags, isBulk: false, isAll: false }
}

/** `undefined` for events that are of no single document, known ones and those to come. */
function imagesOf({ operationType, fullDocument, fullDocumentBeforeChange }: ChangeEvent): Images | undefined {
  const before = fullDocumentBeforeChange ?? undefined
  const after = fullDocument ?? undefined
  if (operationType === 'insert') return { before: null, after }
  if (operationType === 'delete') return { before, after: null }
  return operationType === 'update' || operationType === 'replace' ? { before, after } : undefined
}

function nameOf(place: { readonly db: string; readonly coll?: string } | undefined): CollectionName | undefined {
  return place?.coll === undefined ? undefined : { database: place.db, collection: place.coll }
}
