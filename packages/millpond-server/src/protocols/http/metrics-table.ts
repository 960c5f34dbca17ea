/** What Prometheus is told: names, what they are, and where they are read. Names end in their unit. */
import type { Host } from '../../commands/host.ts'
import type { Service } from '../../commands/service.ts'

type Kind = 'counter' | 'gauge'

/** Of each cache. */
export const OF_CACHES: readonly (readonly [name: string, Kind, help: string, read: (service: Service) => number])[] = [
  ['commands_total', 'counter', 'Commands that were run', ({ statistics }) => statistics.total],
  ['hits_total', 'counter', 'Reads of keys that were there', (service) => sumOf(service, 'hits')],
  ['misses_total', 'counter', 'Reads of keys that were not there', (service) => sumOf(service, 'misses')],
  ['evictions_total', 'counter', 'Keys that left for lack of room', ({ changes }) => changes.evicted],
  ['expirations_total', 'counter', 'Keys that left because their time was over', ({ changes }) => changes.expired],
  ['errors_total', 'counter', 'Answers that were errors', ({ statistics }) => statistics.errorCount],
  ['refused_total', 'counter', 'Commands that quotas have refused', ({ meter }) => meter.refused],
  ['received_bytes_total', 'counter', 'Bytes that came', ({ statistics }) => statistics.bytesIn],
  ['sent_bytes_total', 'counter', 'Bytes that were sent', ({ statistics }) => statistics.bytesOut],
  ['keys', 'gauge', 'Keys that are there', (service) => sumOf(service, 'size')],
  ['expiring_keys', 'gauge', 'Keys that will expire', (service) => sumOf(service, 'expiring')],
  ['used_bytes', 'gauge', 'Bytes that keys and values take', ({ cache }) => cache.usedBytes],
  ['max_bytes', 'gauge', 'Bytes that keys and values may take', ({ cache }) => cache.bytesMax],
  ['clients', 'gauge', 'Connected clients', ({ clients }) => clients.size],
  ['blocked_clients', 'gauge', 'Clients whose command waits', ({ waiters }) => waiters.count],
  ['topics', 'gauge', 'Channels whose messages are numbered', ({ channels }) => channels.topics.count],
  ['topic_bytes', 'gauge', 'Bytes that their last messages take', ({ channels }) => channels.topics.bytes],
  ['log_bytes', 'gauge', 'Bytes of the append-only log', ({ persistence }) => persistence.log.bytes],
  [
    'log_failed',
    'gauge',
    '1 while the log can not be written',
    ({ persistence }) => (persistence.log.log?.fault ? 1 : 0),
  ],
  [
    'log_syncs_total',
    'counter',
    'Times that the log was synced to the disk',
    ({ persistence }) => persistence.log.log?.syncs ?? 0,
  ],
  [
    'log_sync_seconds_total',
    'counter',
    'How long these took altogether',
    ({ persistence }) => (persistence.log.log?.syncMs ?? 0) / 1000,
  ],
  ['unsaved_changes', 'gauge', 'Changes since the last RDB file', ({ persistence }) => persistence.unsaved],
]

/** Of all of them together. */
export const OF_HOST: readonly (readonly [name: string, Kind, help: string, read: (host: Host) => number])[] = [
  ['caches', 'gauge', 'Caches by name', ({ services }) => services.size],
  ['connections_total', 'counter', 'Connections that came', ({ home }) => home.statistics.connections],
  ['connections_refused_total', 'counter', 'Of those, too many', ({ home }) => home.statistics.connectionsRefused],
]

function sumOf({ databases }: Service, part: 'hits' | 'misses' | 'size' | 'expiring'): number {
  return databases.reduce((sum, database) => sum + database[part], 0)
}
