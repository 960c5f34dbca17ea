/** The options of a Memcached store, checked once at the door. */
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, positiveMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import { PREFIX_BYTES_MAX } from './stored-key.ts'

/** Options of `memcachedStore`. */
export interface MemcachedStoreOptions {
  /** Shown in events and errors. Default `'memcached'`. */
  name?: string
  /**
   * First part of every key, to keep apart from others what shares a server; a letter and `:` follow it. At most 100
   * printable ASCII characters. Default `'millpond:'`.
   */
  prefix?: string
  /** Speak TLS: what `tls.connect` takes, or `true`. Default: plain TCP. */
  tls?: TlsOptions | boolean
  /**
   * Of several servers, one that answers nothing for so long is left alone, and tried again behind; its keys are misses
   * until then. Smaller: less waiting, more false alarms. Keep it well below the cache's `storeTimeout`. With one server the
   * cache itself decides. Default 20 ms.
   */
  timeout?: Duration
  /** A connection on which nothing is answered for so long is closed and opened anew. Default 1 s. */
  stallTimeout?: Duration
  clock?: Clock
  /** Spreads reconnecting processes. Default `Math.random`. */
  random?: Random
}

/** The same, resolved. */
export interface MemcachedSettings {
  readonly name: string
  readonly prefix: string
  readonly tls: TlsOptions | undefined
  readonly timeoutMs: number
  readonly stallTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
}

/** @throws OptionError (`ERR_OPTION`) */
export function resolveOptions(options: MemcachedStoreOptions): MemcachedSettings {
  const { name = 'memcached', prefix = 'millpond:', tls = false, clock = systemClock, random = Math.random } = options
  if (typeof prefix !== 'string' || prefix.length > PREFIX_BYTES_MAX || !/^[!-~]*$/.test(prefix))
    throw new OptionError('prefix', prefix, `give at most ${PREFIX_BYTES_MAX} printable ASCII characters`)
  const secure = tls === true ? {} : tls
  return {
    name,
    prefix,
    tls: secure === false ? undefined : secure,
    timeoutMs: positiveMs(options.timeout ?? 20, 'timeout'),
    stallTimeoutMs: positiveMs(options.stallTimeout ?? 1000, 'stallTimeout'),
    clock,
    random,
  }
}
