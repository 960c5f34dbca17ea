/** The lists of `stats`: names and order as memcached 1.6.18 has them. What it has no counterpart for here is 0. */
import type { Exchange } from './exchange.ts'
import type { Stat } from './stats.ts'
import { MEMCACHED_VERSION } from './text-server.ts'

/** Names that say nothing here: of threads, slabs and the log of memcached. */
const SLABS = (
  'slab_reassign_rescues slab_reassign_chunk_rescues slab_reassign_evictions_nomem slab_reassign_inline_reclaim ' +
  'slab_reassign_busy_items slab_reassign_busy_deletes slab_reassign_running slabs_moved malloc_fails ' +
  'log_worker_dropped log_worker_written log_watcher_skipped log_watcher_sent log_watchers unexpected_napi_ids round_robin_fallback'
).split(' ')
const BUFFERS =
  'response_obj_oom response_obj_count response_obj_bytes read_buf_count read_buf_bytes read_buf_bytes_free read_buf_oom reserved_fds'.split(
    ' ',
  )

export function counters(exchange: Exchange): Stat[] {
  const { client, state } = exchange
  const { service, db } = client
  const { time, statistics, cache, clients, settings: limits } = service
  const usage = process.resourceUsage()
  const { total_items, ...counted } = state.counters
  const all: Stat[] = [
    ['pid', process.pid],
    ['uptime', Math.max(0, Math.floor((time.nowMs - service.startedAtMs) / 1000))],
    ['time', Math.floor(time.nowMs / 1000)],
    ['version', MEMCACHED_VERSION],
    ['libevent', `libuv-${process.versions.uv}`],
    ['pointer_size', 64],
    ['rusage_user', (usage.userCPUTime / 1e6).toFixed(6)],
    ['rusage_system', (usage.systemCPUTime / 1e6).toFixed(6)],
    ['max_connections', limits.clientsMax],
    ['curr_connections', clients.size],
    ['total_connections', statistics.connections],
    ['rejected_connections', statistics.connectionsRefused],
    ['connection_structures', clients.size],
    ...zeros(BUFFERS),
  ]
  for (const [name, value] of Object.entries(counted)) {
    all.push([name, value])
    if (name === 'get_expired') all.push(['get_flushed', 0])
  }
  if (limits.idleSeconds > 0) all.push(['idle_kicks', statistics.idleKicks])
  all.push(
    ['bytes_read', statistics.bytesIn],
    ['bytes_written', statistics.bytesOut],
    ['limit_maxbytes', cache.bytesMax],
    ['accepting_conns', 1],
    ['listen_disabled_num', 0],
    ['time_in_listen_disabled_us', 0],
    ['threads', 1],
    ['conn_yields', 0],
    ['hash_power_level', Math.max(16, Math.ceil(Math.log2(db.size + 1)))],
    ['hash_bytes', cache.overheadBytes],
    ['hash_is_expanding', 0],
    ...zeros(SLABS),
    ['bytes', cache.dataBytes],
    ['curr_items', db.size],
    ['total_items', total_items],
    ['slab_global_page_pool', 0],
    ['expired_unfetched', 0],
    ['evicted_unfetched', 0],
    ['evictions', service.changes.evicted - state.evictedBefore],
    ['reclaimed', 0],
    ['crawler_reclaimed', 0],
    ['crawler_items_checked', 0],
    ['lrutail_reflocked', 0],
  )
  return replaced(all, exchange.options.stats)
}

export function settings(exchange: Exchange): Stat[] {
  const { client, options } = exchange
  const { service } = client
  const { configuration, cache, settings: limits, accessControl } = service
  const socket = configuration.text('memcached-unixsocket')
  const all: Stat[] = [
    ['maxbytes', cache.bytesMax],
    ['maxconns', limits.clientsMax],
    ['tcpport', configuration.number('memcached-port')],
    ['udpport', 0],
    ['inter', configuration.text('bind')],
    ['verbosity', 0],
    ['oldest', 0],
    ['evictions', cache.policy === 'noeviction' ? 'off' : 'on'],
    ['domain_socket', socket === '' ? 'NULL' : socket],
    ['umask', configuration.text('unixsocketperm')],
    ['shutdown_command', options.close ? 'yes' : 'no'],
    ['num_threads', 1],
    ['stat_key_prefix', ':'],
    ['detail_enabled', exchange.state.prefixes ? 'yes' : 'no'],
    ['cas_enabled', 'yes'],
    ['tcp_backlog', configuration.number('tcp-backlog')],
    ['binding_protocol', 'auto-negotiate'],
    ['auth_enabled_sasl', accessControl.mustAuthenticate ? 'yes' : 'no'],
    ['auth_enabled_ascii', accessControl.mustAuthenticate ? 'yes' : 'no'],
    ['item_size_max', cache.itemBytesMax],
    ['maxconns_fast', 'yes'],
    ['flush_enabled', options.refusesFlush ? 'no' : 'yes'],
    ['dump_enabled', options.dumps === false ? 'no' : 'yes'],
    ['hash_algorithm', 'keyed'],
    ['eviction_policy', cache.policy],
    ['idle_timeout', limits.idleSeconds],
    ['track_sizes', 'no'],
  ]
  return replaced(all, options.settings)
}

export function items({ client, state }: Exchange): Stat[] {
  const { db, service } = client
  if (db.size === 0) return []
  const told: Readonly<Record<string, number>> = {
    number: db.size,
    age: 0,
    mem_requested: service.cache.dataBytes,
    evicted: service.changes.evicted - state.evictedBefore,
    evicted_nonzero: 0,
    evicted_time: 0,
    outofmemory: state.counters.store_no_memory,
    tailrepairs: 0,
    reclaimed: 0,
    expired_unfetched: 0,
    evicted_unfetched: 0,
    crawler_reclaimed: 0,
    crawler_items_checked: 0,
    lrutail_reflocked: 0,
  }
  return Object.entries(told).map(([name, value]) => [`items:1:${name}`, value])
}

export function slabs({ client, state }: Exchange): Stat[] {
  const { db, service } = client
  const { counters: counted } = state
  const told: Readonly<Record<string, number>> = {
    used_chunks: db.size,
    get_hits: counted.get_hits,
    cmd_set: counted.cmd_set,
    delete_hits: counted.delete_hits,
    incr_hits: counted.incr_hits,
    decr_hits: counted.decr_hits,
    cas_hits: counted.cas_hits,
    cas_badval: counted.cas_badval,
    touch_hits: counted.touch_hits,
  }
  const ofOne: Stat[] = db.size === 0 ? [] : Object.entries(told).map(([name, value]) => [`1:${name}`, value])
  return [...ofOne, ['active_slabs', db.size === 0 ? 0 : 1], ['total_malloced', service.cache.usedBytes]]
}

export function connections({ client: asking }: Exchange): Stat[] {
  const { service } = asking
  const { configuration, time } = service
  const socket = configuration.text('memcached-unixsocket')
  const port = configuration.number('memcached-port')
  const places = configuration.text('bind').split(' ')
  const own = socket === '' ? `tcp:${places[0]}:${port}` : `unix:${socket}`
  const told: Stat[] = [
    ['1:addr', own],
    ['1:state', 'conn_listening'],
    ['1:secs_since_last_cmd', 0],
  ]
  for (const client of service.clients.values()) {
    const isLocal = !/:[1-9]\d*$/.test(client.address)
    const number = client.id + 1
    told.push([`${number}:addr`, isLocal ? 'unix:' : `tcp:${client.address}`])
    told.push([`${number}:listen_addr`, isLocal ? `unix:${socket}` : `tcp:${client.localAddress}`])
    const reads = client.inputBytes > 0 ? 'conn_nread' : 'conn_waiting'
    told.push([`${number}:state`, client === asking ? 'conn_parse_cmd' : reads])
    told.push([`${number}:secs_since_last_cmd`, secondOf(time.nowMs) - secondOf(client.activeAtMs)])
  }
  return told
}

/** memcached's clock has seconds alone. */
function secondOf(ms: number): number {
  return Math.floor(ms / 1000)
}

function zeros(names: readonly string[]): Stat[] {
  return names.map((name) => [name, 0])
}

function replaced(all: readonly Stat[], by: Readonly<Record<string, string | number>> = {}): Stat[] {
  return all.map(([name, value]) => [name, by[name] ?? value])
}
