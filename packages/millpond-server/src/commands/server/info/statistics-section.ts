/** INFO: what has happened, and how often and how long commands ran. */
import type { CommandEntry } from '../../command-table.ts'
import type { Service } from '../../service.ts'
import type { InfoLines, InfoSection } from './section.ts'

export const statistics: InfoSection = {
  name: 'stats',
  title: 'Stats',
  lines(service) {
    const { statistics: own, changes, channels, tracking, databases } = service
    const sum = (of: 'hits' | 'misses'): number => databases.reduce((total, database) => total + database[of], 0)
    const { rates } = own
    return [
      ['total_connections_received', own.connections],
      ['total_commands_processed', own.total],
      ['instantaneous_ops_per_sec', Math.round(rates.commands)],
      ['total_net_input_bytes', own.bytesIn],
      ['total_net_output_bytes', own.bytesOut],
      ['total_net_repl_input_bytes', 0],
      ['total_net_repl_output_bytes', 0],
      ['instantaneous_input_kbps', (rates.bytesIn / 1024).toFixed(2)],
      ['instantaneous_output_kbps', (rates.bytesOut / 1024).toFixed(2)],
      ['rejected_connections', own.connectionsRefused],
      ['sync_full', 0],
      ['sync_partial_ok', 0],
      ['sync_partial_err', 0],
      ['expired_keys', changes.expired],
      ['expired_stale_perc', '0.00'],
      ['expired_time_cap_reached_count', 0],
      ['expire_cycle_cpu_milliseconds', 0],
      ['evicted_keys', changes.evicted],
      ['evicted_clients', own.clientsEvicted],
      ['total_eviction_exceeded_time', 0],
      ['current_eviction_exceeded_time', 0],
      ['keyspace_hits', sum('hits')],
      ['keyspace_misses', sum('misses')],
      ['pubsub_channels', channels.names('channel').length],
      ['pubsub_patterns', channels.names('pattern').length],
      ['pubsubshard_channels', channels.names('shard').length],
      ['latest_fork_usec', 0],
      ['total_forks', 0],
      ['migrate_cached_sockets', 0],
      ['slave_expires_tracked_keys', 0],
      ['active_defrag_hits', 0],
      ['active_defrag_misses', 0],
      ['active_defrag_key_hits', 0],
      ['active_defrag_key_misses', 0],
      ['tracking_total_keys', tracking.keyCount],
      ['tracking_total_items', tracking.itemCount],
      ['tracking_total_prefixes', tracking.prefixCount],
      ['unexpected_error_replies', 0],
      ['total_error_replies', own.errorCount],
      ['dump_payload_sanitizations', 0],
      ['total_reads_processed', own.batches],
      ['total_writes_processed', own.batches],
      ['io_threaded_reads_processed', 0],
      ['io_threaded_writes_processed', 0],
      ['reply_buffer_shrinks', 0],
      ['reply_buffer_expands', 0],
    ]
  },
}

export const commandStatistics: InfoSection = {
  name: 'commandstats',
  title: 'Commandstats',
  extra: true,
  lines({ commands, statistics: own }) {
    return commands.entries.flatMap((entry): InfoLines => {
      const { id, fullName } = entry
      const [calls, rejected, failed] = [own.calls[id]!, own.rejected[id]!, own.failed[id]!]
      if (calls + rejected + failed === 0) return []
      const microseconds = Math.floor(own.microseconds[id]!)
      const each = calls === 0 ? 0 : microseconds / calls
      return [
        [
          `cmdstat_${fullName}`,
          `calls=${calls},usec=${microseconds},usec_per_call=${each.toFixed(2)},rejected_calls=${rejected},failed_calls=${failed}`,
        ],
      ]
    })
  },
}

export const errorStatistics: InfoSection = {
  name: 'errorstats',
  title: 'Errorstats',
  lines: ({ statistics: own }) =>
    [...own.errors].sort().map(([code, count]) => [`errorstat_${code}`, `count=${count}`] as const),
}

export const latencyStatistics: InfoSection = {
  name: 'latencystats',
  title: 'Latencystats',
  extra: true,
  lines(service) {
    if (!service.configuration.is('latency-tracking')) return []
    return service.commands.entries.flatMap((entry) => percentilesOf(service, entry))
  },
}

function percentilesOf({ statistics: own, configuration }: Service, entry: CommandEntry): InfoLines {
  const counts = own.histogramOf(entry)
  if (counts === undefined) return []
  const total = counts.reduce((sum, count) => sum + count, 0)
  const wanted = configuration.text('latency-tracking-info-percentiles').split(' ').filter(Boolean)
  const told = wanted.map(
    (percentile) => `p${percentile}=${percentileOf(counts, total, Number(percentile)).toFixed(3)}`,
  )
  return [[`latency_percentiles_usec_${entry.fullName}`, told.join(',')]]
}

/** The upper end of the bucket in which a percentile lies, in microseconds. */
function percentileOf(counts: Float64Array, total: number, percentile: number): number {
  let left = Math.max(1, Math.ceil((total * percentile) / 100))
  const power = counts.findIndex((count) => (left -= count) <= 0)
  return 2 ** Math.max(0, power)
}
