/** `millpond/mongodb`: a cache that is told by MongoDB itself what has changed. */
export type { ReadMode } from '../read-mode.ts'
export { positionOf } from './cluster-time.ts'
export {
  type CachedCollection,
  type CachedCollectionOptions,
  cachedCollection,
} from './collection/cached-collection.ts'
export type { ReadExplanation } from './collection/cached-reads.ts'
export type { CollectionStatus } from './collection/read-counts.ts'
export type { Dependency } from './collection/tag-plan.ts'
export { type MongoFeed, mongoFeed } from './feed.ts'
export type { MongoFeedOptions } from './options.ts'
export type { Mingo, Selection } from './selection.ts'
export type { MongoFeedStatus } from './status.ts'
export { type CollectionName, documentTag } from './tags.ts'
