/** A cache as it is told to admins. */
import type { Host } from '../host.ts'

/** Times are milliseconds, sizes bytes, `null` is no bound. */
export interface CacheDescription {
  readonly name: string
  readonly created_at_ms: number
  readonly keys: number
  readonly used_bytes: number
  readonly max_bytes: number
  readonly policy: string
  readonly default_ttl_ms: number | null
  readonly max_ttl_ms: number | null
  readonly item_bytes_max: number
  readonly append: string
  readonly operations: number | null
  readonly bytes_in: number | null
  readonly bytes_out: number | null
  readonly connections_max: number | null
  readonly connections: number
  /** Commands that its quotas have refused. */
  readonly refused: number
  readonly hits: number
  readonly misses: number
  /** When its access keys were made. */
  readonly primary_key_created_at_ms: number | null
  readonly secondary_key_created_at_ms: number | null
}

/** @throws ReplyError NOTFOUND */
export function describeCache(host: Host, name: string): CacheDescription {
  const { cache, clients, configuration, connectionsMax, databases, meter } = host.service(name)
  const sum = (of: (database: (typeof databases)[number]) => number): number =>
    databases.reduce((total, database) => total + of(database), 0)
  const keyMade = (key: string): number | null =>
    host.entrance?.accessKeys.list(name).find((one) => one.key === key)?.createdAtMs ?? null
  const { operations, bytesIn, bytesOut } = meter.quotas
  return {
    name,
    created_at_ms: host.record(name).createdAtMs,
    keys: sum(({ size }) => size),
    used_bytes: cache.usedBytes,
    max_bytes: cache.bytesMax,
    policy: cache.policy,
    default_ttl_ms: bounded(cache.defaultTtlMs),
    max_ttl_ms: bounded(cache.maxTtlMs),
    item_bytes_max: cache.itemBytesMax,
    append: configuration.is('appendonly') ? configuration.text('appendfsync') : 'no',
    operations: bounded(operations),
    bytes_in: bounded(bytesIn),
    bytes_out: bounded(bytesOut),
    connections_max: bounded(connectionsMax),
    connections: clients.size,
    refused: meter.refused,
    hits: sum(({ hits }) => hits),
    misses: sum(({ misses }) => misses),
    primary_key_created_at_ms: keyMade('primary'),
    secondary_key_created_at_ms: keyMade('secondary'),
  }
}

function bounded(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
