/** What all clients of one server share, as commands see it. */

import type { Keyspace } from '../engine/keyspace.ts'
import type { EngineTime } from '../engine/time.ts'

/** One server: its caches, its clients, its configuration. */
export interface Service {
  readonly time: EngineTime
  /** The databases of the cache that clients without a name use. */
  readonly databases: readonly Keyspace[]
  /** A number from 0 to below 1, by chance: what SPOP, RANDOMKEY and their like draw. */
  readonly random: () => number
  /** How long a string may become: `proto-max-bulk-len`. */
  readonly stringBytesMax: number
}
