export { createCache } from './cache/cache.ts'
export type { CacheEvents, Tier } from './cache/events.ts'
export type { InvalidationList, Invalidations } from './cache/invalidations.ts'
export { cacheKey } from './cache/key.ts'
export type {
  CacheOptions,
  DependencyOptions,
  EntryOptions,
  GetOrSetOptions,
  MemoryOptions,
  ReadOptions,
} from './cache/options.ts'
export type { Source, SourceReadOptions } from './cache/source.ts'
export type { BatchContext, BatchOptions, SourceOptions } from './cache/source-options.ts'
export type { CacheStats } from './cache/stats.ts'
export type { Cache, EntryView, LoadContext, Loader, ManyLoadContext, ManyLoader } from './cache/types.ts'
export type { WrapOptions, Wrapped } from './cache/wrap.ts'
export { writeBehind } from './cache/write-behind.ts'
export type { GivenUpWrite, WriteBehindOptions } from './cache/write-behind-options.ts'
export type { WriteBehind } from './cache/write-queue.ts'
export type { WriteRetry } from './cache/write-retry.ts'
export type { Bus, BusMessage, BusReceiver } from './core/bus.ts'
export { type Clock, systemClock, type Timer } from './core/clock.ts'
export { type Codec, jsonCodec } from './core/codec.ts'
export type { Duration } from './core/duration.ts'
export {
  ClosedError,
  FeedError,
  JournalError,
  KeyError,
  LoadTimeoutError,
  MeshError,
  MillpondError,
  OptionError,
  PlatformError,
  ServiceError,
  type ServiceErrorReason,
  StoreError,
  ValueError,
  WriteBehindError,
} from './core/errors.ts'
export type { Dependencies, DependentRows, Feed, FeedListener, Position, RowValue } from './core/feed.ts'
export type { Journal, JournalRecord } from './core/journal.ts'
export type { Logger } from './core/logger.ts'
export type { Random } from './core/random.ts'
export type { Size } from './core/size.ts'
export type { StandardSchema } from './core/standard-schema.ts'
export {
  type Mark,
  STORE_BATCH_MAX,
  type Store,
  type StoreAnswer,
  type StoreRead,
  type StoreRecord,
} from './core/store.ts'
export type { Policy, PolicyFactory, PolicyShape, RemovalReason } from './memory/policy.ts'
