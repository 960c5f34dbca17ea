/** The front door of `millpond/core`: the small cache, and the types and errors that its user meets. */
export { type Clock, systemClock, type Timer } from '../core/clock.ts'
export type { Duration } from '../core/duration.ts'
export {
  ClosedError,
  KeyError,
  LoadTimeoutError,
  MillpondError,
  OptionError,
  PlatformError,
  ValueError,
} from '../core/errors.ts'
export type { Logger } from '../core/logger.ts'
export type { Random } from '../core/random.ts'
export type { Size } from '../core/size.ts'
export type { CacheEvents, Tier } from './events.ts'
export { cacheKey } from './key.ts'
export { createNearCache, type NearCacheOptions } from './near-cache.ts'
export type { DependencyOptions, EntryOptions, GetOrSetOptions, MemoryOptions, ReadOptions } from './options.ts'
export type { CacheStats } from './stats.ts'
export type { EntryView, LoadContext, Loader, NearCache } from './types.ts'
