/** What happened to items by memcached's commands: the numbers of `stats`, under memcached's names. */

export class Counters {
  cmd_get = 0
  cmd_set = 0
  cmd_flush = 0
  cmd_touch = 0
  cmd_meta = 0
  get_hits = 0
  get_misses = 0
  get_expired = 0
  delete_misses = 0
  delete_hits = 0
  incr_misses = 0
  incr_hits = 0
  decr_misses = 0
  decr_hits = 0
  cas_misses = 0
  cas_hits = 0
  cas_badval = 0
  touch_hits = 0
  touch_misses = 0
  store_too_large = 0
  store_no_memory = 0
  auth_cmds = 0
  auth_errors = 0
  total_items = 0

  /** `stats reset`. */
  reset(): void {
    Object.assign(this, new Counters())
  }
}
