import type { EncodingLimits } from '../../engine/encoding-limits.ts'
import { BackupError } from '../backup-error.ts'
import { shownUrl } from '../shown-url.ts'
import type { Source } from './import.ts'
import { MemcachedSource } from './memcached-source.ts'
import { RedisSource } from './redis-source.ts'

/**
 * The source that a URL names: `redis://`, `rediss://`, `valkey://`, `memcached://`…
 *
 * @param limits of the cache that the values are for
 * @throws BackupError refused, source
 */
export async function openSource(url: string, limits: EncodingLimits): Promise<Source> {
  if (/^(redis|valkey)s?:/.test(url)) return RedisSource.open(url, limits)
  if (/^memcacheds?:/.test(url)) return MemcachedSource.open(url)
  throw new BackupError('refused', shownUrl(url), 'write redis://user:password@host:6379 or memcached://host:11211')
}
