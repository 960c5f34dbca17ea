/** INFO: memory. */
import { totalmem } from 'node:os'
import type { Service } from '../../service.ts'
import { human, type InfoLines, type InfoSection } from './section.ts'

/** What the cache, its clients and scripts take: `used_memory`. */
export function usedMemory(service: Service): number {
  return service.cache.usedBytes + service.clientMemory.bytes
}

export const memory: InfoSection = {
  name: 'memory',
  title: 'Memory',
  lines(service) {
    const { cache, configuration, statistics } = service
    const used = usedMemory(service)
    statistics.memoryPeak = Math.max(statistics.memoryPeak, used)
    const { rss, heapUsed } = process.memoryUsage()
    const startup = cache.overheadBytes
    const dataset = Math.max(0, used - startup)
    const maxMemory = configuration.number('maxmemory')
    return [
      ...sized('used_memory', used),
      ...sized('used_memory_rss', rss),
      ...sized('used_memory_peak', statistics.memoryPeak),
      ['used_memory_peak_perc', `${((used / statistics.memoryPeak) * 100).toFixed(2)}%`],
      ['used_memory_overhead', startup],
      ['used_memory_startup', startup],
      ['used_memory_dataset', dataset],
      ['used_memory_dataset_perc', `${used === 0 ? 0 : ((dataset / used) * 100).toFixed(2)}%`],
      ['heap_used', heapUsed],
      ['allocator_allocated', used],
      ['allocator_active', used],
      ['allocator_resident', rss],
      ...sized('total_system_memory', totalmem()),
      ...scripts(service),
      ...sized('maxmemory', maxMemory),
      ['maxmemory_policy', configuration.text('maxmemory-policy')],
      ['allocator_frag_ratio', '1.00'],
      ['allocator_frag_bytes', 0],
      ['allocator_rss_ratio', (rss / Math.max(1, used)).toFixed(2)],
      ['allocator_rss_bytes', rss - used],
      ['rss_overhead_ratio', '1.00'],
      ['rss_overhead_bytes', 0],
      ['mem_fragmentation_ratio', (rss / Math.max(1, used)).toFixed(2)],
      ['mem_fragmentation_bytes', rss - used],
      ['mem_not_counted_for_evict', 0],
      ['mem_replication_backlog', 0],
      ['mem_total_replication_buffers', 0],
      ['mem_clients_slaves', 0],
      ['mem_clients_normal', service.clientMemory.bytes],
      ['mem_cluster_links', 0],
      ['mem_aof_buffer', 0],
      ['mem_allocator', 'arena'],
      ['active_defrag_running', 0],
      ['lazyfree_pending_objects', cache.lazyFreePending],
      ['lazyfreed_objects', 0],
    ]
  },
}

function sized(name: string, bytes: number): InfoLines {
  return [
    [name, bytes],
    [`${name}_human`, human(bytes)],
  ]
}

function scripts({ scripts: { luaBytes, textBytes, count, functions } }: Service): InfoLines {
  const functionBytes = functions.all.reduce((sum, { text }) => sum + text.length, 0)
  return [
    // One Lua machine serves scripts and functions.
    ...sized('used_memory_lua', luaBytes),
    ['used_memory_vm_eval', luaBytes],
    ['used_memory_scripts_eval', textBytes],
    ['number_of_cached_scripts', count],
    ['number_of_functions', functions.functionCount],
    ['number_of_libraries', functions.all.length],
    ['used_memory_vm_functions', 0],
    ...sized('used_memory_vm_total', luaBytes),
    ['used_memory_functions', functionBytes],
    ...sized('used_memory_scripts', textBytes + functionBytes),
  ]
}
