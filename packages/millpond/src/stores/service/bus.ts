/** The bus of a service: publish and subscribe, with what the library adds so that nothing is lost without a word. */
import type { Bus } from '../../core/bus.ts'
import { systemClock } from '../../core/clock.ts'
import { positiveMs } from '../../core/duration.ts'
import { OptionError, ServiceError } from '../../core/errors.ts'
import { silentLogger } from '../../core/logger.ts'
import { type Channel, PubSubBus } from '../bus-pubsub.ts'
import type { BusStatus } from '../bus-status.ts'
import type { Connection } from './connection.ts'
import type { Link } from './link.ts'
import type { ServiceBusOptions, ServiceOptions } from './options.ts'
import { textOf } from './replies.ts'

/** A bus over a service. */
export interface ServiceBus extends Bus {
  /** Resolves when changes are heard for the first time. Nobody has to wait for it: who begins early is told of a gap. */
  ready(): Promise<void>
  /** How the bus does at this moment. */
  status(): BusStatus
}

/** @throws OptionError (`ERR_OPTION`) */
export function busOver(
  link: Link,
  options: ServiceBusOptions & ServiceOptions,
  close: () => Promise<void>,
): ServiceBus {
  const { channel = 'millpond', heartbeat = 2000 } = options
  if (typeof channel !== 'string' || channel === '') throw new OptionError('channel', channel, 'give a name')
  return new PubSubBus({
    channel: channelOver(link, channel, close),
    heartbeatMs: positiveMs(heartbeat, 'heartbeat'),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    logger: options.logger ?? silentLogger,
  })
}

/** Sends through the link, and listens on a connection that is used once: what it missed when it broke is told as a gap. */
function channelOver(link: Link, name: string, close: () => Promise<void>): Channel {
  return {
    send: (payload) => link.send(['PUBLISH', name, payload], { onlyNow: true }),
    async listen(hear, onDown, signal) {
      const connection: Connection = link.another({
        onPush: ([kind, , payload]) => kind === 'message' && hear(textOf(payload)),
        onEnd: onDown,
      })
      const end = (): void => connection.destroy(new ServiceError('connection', 'the bus has ended it'))
      signal.addEventListener('abort', end, { once: true })
      await connection.open()
      await connection.ask(['SUBSCRIBE', name])
      return { close: end }
    },
    close,
  }
}
