/** INFO: durability. */
import type { InfoSection } from './section.ts'

export const persistence: InfoSection = {
  name: 'persistence',
  title: 'Persistence',
  lines(service) {
    const { persistence } = service
    const { log } = persistence
    const enabled = service.configuration.is('appendonly')
    const nowMs = performance.now()
    const seconds = (ms: number): number => (ms < 0 ? -1 : Math.floor(ms / 1000))
    const since = (beganAtMs: number): number => (beganAtMs < 0 ? -1 : seconds(nowMs - beganAtMs))
    return [
      ['loading', 0],
      ['async_loading', 0],
      ['current_cow_peak', 0],
      ['current_cow_size', 0],
      ['current_cow_size_age', 0],
      ['current_fork_perc', '0.00'],
      ['current_save_keys_processed', 0],
      ['current_save_keys_total', 0],
      ['rdb_changes_since_last_save', persistence.unsaved],
      ['rdb_bgsave_in_progress', persistence.saving ? 1 : 0],
      ['rdb_last_save_time', seconds(persistence.lastSaveAtMs)],
      ['rdb_last_bgsave_status', persistence.lastSaveFailed ? 'err' : 'ok'],
      ['rdb_last_bgsave_time_sec', seconds(persistence.lastSaveTookMs)],
      ['rdb_current_bgsave_time_sec', since(persistence.saveBeganAtMs)],
      ['rdb_saves', persistence.saves],
      ['rdb_last_cow_size', 0],
      ['rdb_last_load_keys_expired', persistence.loaded?.expired ?? 0],
      ['rdb_last_load_keys_loaded', persistence.loaded?.keys ?? 0],
      ['aof_enabled', enabled ? 1 : 0],
      ['aof_rewrite_in_progress', log.rewriting ? 1 : 0],
      ['aof_rewrite_scheduled', 0],
      ['aof_last_rewrite_time_sec', seconds(log.lastRewriteTookMs)],
      ['aof_current_rewrite_time_sec', since(log.rewriteBeganAtMs)],
      ['aof_last_bgrewrite_status', log.rewriteFailures > 0 ? 'err' : 'ok'],
      ['aof_rewrites', log.rewrites],
      ['aof_rewrites_consecutive_failures', log.rewriteFailures],
      ['aof_last_write_status', log.log?.fault ? 'err' : 'ok'],
      ['aof_last_cow_size', 0],
      ...(enabled
        ? ([
            ['aof_current_size', log.bytes],
            ['aof_base_size', log.baseBytes],
            ['aof_pending_rewrite', 0],
            ['aof_buffer_length', 0],
            ['aof_pending_bio_fsync', 0],
            ['aof_delayed_fsync', 0],
          ] as const)
        : []),
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
    ]
  },
}
