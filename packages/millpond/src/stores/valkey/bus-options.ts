import type { Duration } from '../../core/duration.ts'
import type { Logger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import type { ValkeyConnectOptions } from './options.ts'

export type { BusStatus as ValkeyBusStatus } from '../bus-status.ts'

/** Options of `valkeyBus`. */
export interface ValkeyBusOptions extends ValkeyConnectOptions {
  /**
   * `'messages'` (default): caches tell each other, by pub/sub. `'tracking'`: the server tells what was written to the
   * keys of the caches in `names`, by whomever, redis-cli included; needs Valkey, or Redis 6.2 or later.
   */
  mode?: 'messages' | 'tracking'
  /** Of `'tracking'`: the names of the caches to hear of. */
  names?: readonly string[]
  /** Of `'tracking'`: what the store puts before each key (its option `prefix`). Default: nothing. */
  prefix?: string
  /** Of `'messages'`: who uses the same channel hears each other. Default `'millpond'`. */
  channel?: string
  /**
   * How often each process says that it is there. A lost message is noticed after one, a connection that is dead without
   * a sign after three. Up: less traffic, which grows with the square of the processes. Down: noticed sooner. Default 2 s.
   */
  heartbeat?: Duration
  /** Default: none. Told when the connection is lost, and when it is back. */
  logger?: Logger
  /** Where pauses draw from. Default `Math.random`. */
  random?: Random
}
