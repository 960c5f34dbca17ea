/** The options of `valkeyStore`, checked once at the door. */
import type { ConnectionOptions } from 'node:tls'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, durationMs, positiveMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { recognise, type ValkeyClient } from './client.ts'
import { type Connection, connectionOver } from './connection.ts'
import { LateConnection } from './open.ts'
import { placeOf } from './url.ts'

/** How servers are reached from a URL; a client that was passed in has settings of its own. */
export interface ValkeyConnectOptions {
  /** Options of TLS: `ca`, and `cert` and `key` where the server asks for a client certificate. */
  tls?: ConnectionOptions
  /** How Sentinels themselves are logged in to, where they ask for it. */
  sentinel?: { readonly username?: string; readonly password: string }
  /** Connecting takes no longer; then it is tried anew. Default 2 s. */
  connectTimeout?: Duration
  /**
   * A connection on which a command is not answered for so long is dead without a sign: it is closed and opened anew.
   * Up: slow servers are waited for. Down: noticed sooner. Default 1 s. A bus has its `heartbeat` for that.
   */
  stallTimeout?: Duration
  clock?: Clock
}

/** Options of `valkeyStore`. */
export interface ValkeyStoreOptions extends ValkeyConnectOptions {
  /** Shown in events and errors. Default `'valkey'`. */
  name?: string
  /** Stands before every key, for servers that others use too. Default: none. */
  prefix?: string
  /**
   * Replicas to read from, in turn, as clients or URLs; one that fails is passed over for the primary. What they have
   * may be old by as much as they lag behind, and a value read from one stays in the near tier for the rest of its life:
   * an invalidation that the replica had not yet heard of is not seen by that process until then. Fills are safe in any
   * case. Default: none, the primary is read.
   */
  replicas?: readonly (ValkeyClient | string)[]
  /**
   * How long the version of a tag that is hardly used is kept. Shorter: tags that are not used any more take room for
   * less time. When a version ends, what was stored under it is not found any more. Default 30 days.
   */
  versionTtl?: Duration
  /** Which reads renew the versions that they use: one in a thousand. Default `Math.random`. */
  random?: Random
}

/** What the store works with. */
export interface ValkeySettings {
  readonly name: string
  readonly prefix: string
  readonly replicas: readonly (ValkeyClient | string)[]
  readonly versionTtlMs: number
  readonly random: Random
  readonly clock: Clock
}

/** @throws OptionError (`ERR_OPTION`) for the first option that cannot be used */
export function settingsOf(options: ValkeyStoreOptions): ValkeySettings {
  const { name = 'valkey', prefix = '', versionTtl = '30d', random = Math.random, clock = systemClock } = options
  for (const [option, text] of Object.entries({ name, prefix })) {
    if (typeof text !== 'string') throw new OptionError(option, text, 'give a text')
  }
  const { replicas = [] } = options
  if (!Array.isArray(replicas)) throw new OptionError('replicas', 'no list', 'give a list of clients or URLs')
  const versionTtlMs = durationMs(versionTtl, 'versionTtl')
  if (versionTtlMs < 1) throw new OptionError('versionTtl', versionTtl, 'give at least a millisecond')
  return { name, prefix, replicas, versionTtlMs: Math.ceil(versionTtlMs), random, clock }
}

/**
 * A connection over a client, or one that a URL is opened for when it is first used.
 *
 * @throws OptionError (`ERR_OPTION`) when it is neither
 */
export function connectionTo(
  target: ValkeyClient | string,
  { tls, sentinel, connectTimeout = '2s', stallTimeout = '1s', clock = systemClock }: ValkeyConnectOptions,
  option = 'client',
): Connection {
  if (typeof target !== 'string') return connectionOver(recognise(target, option))
  return new LateConnection(placeOf(target, option), {
    connectTimeoutMs: positiveMs(connectTimeout, 'connectTimeout'),
    stallTimeoutMs: positiveMs(stallTimeout, 'stallTimeout'),
    clock,
    ...(tls === undefined ? {} : { tls }),
    ...(sentinel === undefined ? {} : { sentinel }),
  })
}
