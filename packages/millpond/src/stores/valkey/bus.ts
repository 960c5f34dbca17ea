import type { Bus } from '../../core/bus.ts'
import { systemClock } from '../../core/clock.ts'
import { durationMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import { silentLogger } from '../../core/logger.ts'
import { type ClientSource, channelOver } from './bus-channel.ts'
import { checkListens } from './bus-line.ts'
import type { ValkeyBusOptions, ValkeyBusStatus } from './bus-options.ts'
import { PubSubBus } from './bus-pubsub.ts'
import { recognise, type ValkeyClient } from './client.ts'

/** A bus over Valkey or Redis. */
export interface ValkeyBus extends Bus {
  /** Resolves when changes are heard for the first time. Nobody has to wait for it: who begins early is told of a gap. */
  ready(): Promise<void>
  status(): ValkeyBusStatus
}

/**
 * A bus over Valkey or Redis: tells the caches of other processes what changed. It listens on connections of its own,
 * made by the client's `duplicate`, which `close` ends; what it says goes through the client itself.
 *
 * @param client of iovalkey, ioredis or redis (node-redis), Cluster and Sentinel included
 * @throws OptionError (`ERR_OPTION`)
 */
export function valkeyBus(client: ValkeyClient, options: ValkeyBusOptions = {}): ValkeyBus {
  const { channel = 'millpond', heartbeat = 2000, clock = systemClock, random = Math.random } = options
  const heartbeatMs = durationMs(heartbeat, 'heartbeat')
  if (heartbeatMs === 0) throw new OptionError('heartbeat', heartbeat, 'give more than 0, such as 2 s')
  if (typeof channel !== 'string' || channel === '') throw new OptionError('channel', channel, 'give a name')
  const logger = options.logger ?? silentLogger
  return new PubSubBus({ channel: channelOver(sourceOf(client), channel, random), heartbeatMs, clock, random, logger })
}

function sourceOf(client: ValkeyClient): ClientSource {
  const recognised = recognise(client, 'client')
  checkListens(recognised)
  return { get: async () => recognised, close: async () => {} }
}
