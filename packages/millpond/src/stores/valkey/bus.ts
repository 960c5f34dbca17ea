import type { Bus } from '../../core/bus.ts'
import { systemClock } from '../../core/clock.ts'
import { positiveMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import { silentLogger } from '../../core/logger.ts'
import { PubSubBus } from '../bus-pubsub.ts'
import { type ClientSource, channelOver } from './bus-channel.ts'
import { checkListens } from './bus-line.ts'
import type { ValkeyBusOptions, ValkeyBusStatus } from './bus-options.ts'
import { type Recognised, recognise, type ValkeyClient } from './client.ts'
import { endClient, openClient } from './open.ts'
import { TrackingBus } from './tracking.ts'
import { placeOf } from './url.ts'

/** A bus over Valkey or Redis. */
export interface ValkeyBus extends Bus {
  /** Resolves when changes are heard for the first time. Nobody has to wait for it: who begins early is told of a gap. */
  ready(): Promise<void>
  /** How the bus does at this moment. */
  status(): ValkeyBusStatus
}

/**
 * A bus over Valkey or Redis: tells the caches of other processes what changed. It listens on connections of its own,
 * made by the client's `duplicate`, which `close` ends; what it says goes through the client itself.
 *
 * @param client of iovalkey, ioredis or redis (node-redis), Cluster and Sentinel included; or a URL, as for `valkeyStore`
 * @throws OptionError (`ERR_OPTION`)
 */
export function valkeyBus(client: ValkeyClient | string, options: ValkeyBusOptions = {}): ValkeyBus {
  const { channel = 'millpond', heartbeat = 2000, mode = 'messages', clock = systemClock } = options
  const heartbeatMs = positiveMs(heartbeat, 'heartbeat')
  if (typeof channel !== 'string' || channel === '') throw new OptionError('channel', channel, 'give a name')
  const source = typeof client === 'string' ? new UrlSource(client, options) : given(client)
  const common = { heartbeatMs, clock, logger: options.logger ?? silentLogger }
  if (mode === 'tracking') {
    if (typeof client === 'string') throw new OptionError('client', 'a URL', TRACKING_NEEDS)
    if (recognise(client, 'client').kind === 'node-redis-sentinel') throw new OptionError('client', client, NO_SENTINEL)
    return new TrackingBus({ source, names: checkedNames(options.names), prefix: options.prefix ?? '', ...common })
  }
  if (mode !== 'messages') throw new OptionError('mode', mode, "give 'messages' or 'tracking'")
  const random = options.random ?? Math.random
  return new PubSubBus({ channel: channelOver(source, channel, random), random, ...common })
}

const TRACKING_NEEDS = 'tracking needs the client that the store works with, so that its own writes are not told back'
const NO_SENTINEL =
  'createSentinel keeps its connections to itself: for tracking give a client of iovalkey or ioredis, or use messages'

function checkedNames(names: readonly string[] | undefined): readonly string[] {
  if (Array.isArray(names) && names.length > 0 && names.every((name) => /^[\w.-]+$/.test(String(name)))) return names
  throw new OptionError('names', names, 'tracking needs the names of the caches that are to hear, as a list')
}

function given(client: ValkeyClient): ClientSource {
  const recognised = recognise(client, 'client')
  checkListens(recognised)
  return { get: async () => recognised, close: async () => {} }
}

/** A client that is opened from a URL when it is first used, and ended with the bus. */
class UrlSource implements ClientSource {
  readonly #open: () => Promise<Recognised>
  #opening: Promise<Recognised> | undefined

  constructor(url: string, { tls, sentinel, connectTimeout = '2s', clock = systemClock }: ValkeyBusOptions) {
    const place = placeOf(url, 'client')
    const connectTimeoutMs = positiveMs(connectTimeout, 'connectTimeout')
    const wishes = { connectTimeoutMs, clock, ...(tls ? { tls } : {}), ...(sentinel ? { sentinel } : {}) }
    this.#open = async () => (await openClient(place, wishes)).recognised
  }

  get(): Promise<Recognised> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async close(): Promise<void> {
    const recognised = await this.#opening?.catch(() => undefined)
    if (recognised !== undefined) await endClient(recognised)
  }
}
