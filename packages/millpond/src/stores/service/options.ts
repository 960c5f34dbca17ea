import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, durationMs, positiveMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import { addressOf } from './address.ts'
import { Link } from './link.ts'

/** Options of `connectService`. */
export interface ServiceOptions {
  /** Trust and names for `millponds://`, as `tls.connect` takes them: `{ ca: readFileSync('millpond.crt') }`. */
  tls?: TlsOptions
  /**
   * How long a command may take: to find a connection, and then to be answered. A server that lets an answer wait longer is
   * given up, and connected to anew. Down: noticed sooner; a command that is slow by itself then fails. Default 5 s.
   */
  timeout?: Duration
  /** How long connecting may take, greeting included. Default 2 s. */
  connectTimeout?: Duration
  /** How many commands may wait. Beyond it they fail with `overload`. Up: more memory while the service is away. Default 10 000. */
  waitingMax?: number
  /**
   * What commands do while there is no connection: wait for one, up to `timeout`, or fail at once when a try has failed. A store
   * and a bus always fail. Default `'wait'`.
   */
  whileAway?: 'wait' | 'fail'
  /** Default: the clock of the machine. */
  clock?: Clock
  /** Where pauses draw from. Default `Math.random`. */
  random?: Random
}

/** Options of the store of a service. */
export interface ServiceStoreOptions {
  /** Shown in events and errors. Default `'service'`. */
  name?: string
  /** Stands before every key, for a cache that others use too, or a token that is for one prefix. Default: nothing. */
  prefix?: string
  /** How long a tag's version that nobody asks for is kept. Default 30 days. */
  versionTtl?: Duration
  /** Default `Math.random`. */
  random?: Random
}

/** Options of the bus of a service. */
export interface ServiceBusOptions {
  /** Who uses the same channel hears each other. Default `'millpond'`. */
  channel?: string
  /**
   * How often each process says that it is there. A lost message is noticed after one, a connection that is dead without a sign
   * after three. Up: less traffic, which grows with the square of the processes. Down: noticed sooner. Default 2 s.
   */
  heartbeat?: Duration
  /** Default: none. Told when the connection is lost, and when it is back. */
  logger?: Logger
}

/** A link to what a URL names. @throws OptionError (`ERR_OPTION`) */
export function linkOf(url: string, options: ServiceOptions, option: string): Link {
  const { timeout = '5s', connectTimeout = '2s', waitingMax = 10_000, whileAway = 'wait' } = options
  if (!Number.isSafeInteger(waitingMax) || waitingMax < 1) {
    throw new OptionError('waitingMax', waitingMax, 'give a whole number from 1 up')
  }
  if (whileAway !== 'wait' && whileAway !== 'fail')
    throw new OptionError('whileAway', whileAway, "give 'wait' or 'fail'")
  return new Link({
    onlyNow: whileAway === 'fail',
    address: addressOf(url, option),
    tls: options.tls,
    timeoutMs: positiveMs(timeout, 'timeout'),
    connectTimeoutMs: positiveMs(connectTimeout, 'connectTimeout'),
    waitingMax,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  })
}

/** What a store works with. */
export interface StoreSettings {
  readonly name: string
  readonly prefix: string
  readonly versionTtlMs: number
  readonly random: Random
}

/** @throws OptionError (`ERR_OPTION`) */
export function storeSettingsOf(options: ServiceStoreOptions): StoreSettings {
  const { name = 'service', prefix = '', versionTtl = '30d', random = Math.random } = options
  for (const [option, text] of Object.entries({ name, prefix })) {
    if (typeof text !== 'string') throw new OptionError(option, text, 'give a text')
  }
  const versionTtlMs = durationMs(versionTtl, 'versionTtl')
  if (versionTtlMs < 1) throw new OptionError('versionTtl', versionTtl, 'give at least a millisecond')
  return { name, prefix, versionTtlMs: Math.ceil(versionTtlMs), random }
}
