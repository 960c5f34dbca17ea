import type { Bus, BusMessage, BusReceiver } from '../../core/bus.ts'
import { type Clock, type Timer, timeLimit } from '../../core/clock.ts'
import { ClosedError, StoreError } from '../../core/errors.ts'
import { randomId } from '../../core/ids.ts'
import type { Logger } from '../../core/logger.ts'
import { Keeper, type Line } from '../bus-keeper.ts'
import { Receivers } from '../bus-receivers.ts'
import { type ClientSource, everyServer } from './bus-channel.ts'
import type { Single } from './bus-line.ts'
import type { ValkeyBusStatus } from './bus-options.ts'
import { TrackedNames } from './tracked-names.ts'
import { TrackedServer } from './tracked-server.ts'

/** What a tracking bus needs. */
export interface TrackingBusOptions {
  readonly source: ClientSource
  readonly names: readonly string[]
  readonly prefix: string
  readonly heartbeatMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * A bus on which the servers themselves tell what was written: the keys of entries and the versions of tags, by whomever
 * (`CLIENT TRACKING` in broadcast mode). So `publish` says nothing: what a cache changes it changes in the store.
 *
 * Each primary is asked on the client's own connection, so that what goes through it is not told back (NOLOOP), and told
 * on one of ours (REDIRECT), which works with every client and either version of the protocol. Every heartbeat asks
 * whether this still holds, and sends something to the listening connection that has to arrive.
 */
export class TrackingBus implements Bus {
  readonly #options: TrackingBusOptions
  readonly #receivers: Receivers
  readonly #names: TrackedNames
  readonly #keeper: Keeper
  readonly #limitMs: number
  #servers: readonly TrackedServer[] = []
  #isChecking = false
  #lines = 0
  #tick: Timer | undefined
  #closed = false
  readonly #isReady: Promise<void>
  #setReady!: () => void

  constructor(options: TrackingBusOptions) {
    const { clock, heartbeatMs, logger, names, prefix } = options
    this.#options = options
    this.#isReady = new Promise((resolve) => {
      this.#setReady = resolve
    })
    this.#limitMs = heartbeatMs * 3
    this.#receivers = new Receivers(logger)
    this.#names = new TrackedNames(names, prefix)
    this.#keeper = new Keeper({
      clock,
      limitMs: this.#limitMs,
      pauseMsMax: heartbeatMs,
      open: (onDown, signal) => this.#open(onDown, signal),
      onUp: () => this.#heard(),
      onDown: (reason, wasUp) =>
        this.#receivers.lost(reason, wasUp, wasUp ? 'tracking was lost' : 'tracking cannot begin'),
    })
    this.#keeper.start()
    this.#checkLater()
  }

  /** Nothing is sent: the store is what tells. */
  async publish(_message: BusMessage): Promise<void> {
    if (this.#closed) throw new ClosedError('the bus')
  }

  subscribe(receiver: BusReceiver): () => void {
    return this.#receivers.add(receiver, this.#keeper.isUp)
  }

  ready(): Promise<void> {
    return this.#isReady
  }

  status(): ValkeyBusStatus {
    const reconnects = Math.max(0, this.#lines - 1)
    return { connected: this.#keeper.isUp, gaps: this.#receivers.gaps, reconnects, ignored: 0 }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#receivers.clear()
    this.#tick?.cancel()
    await Promise.all(this.#servers.map((server) => server.stop()))
    this.#keeper.close()
    await this.#options.source.close()
  }

  async #open(onDown: (reason: unknown) => void, signal: AbortSignal): Promise<Line> {
    const current = ++this.#lines
    const { source, clock } = this.#options
    const servers = (await everyServer(await source.get())).map((single) => this.#serverOf(single, current, onDown))
    try {
      await Promise.all(servers.map((server) => server.start(clock.monotonic(), signal)))
    } catch (error) {
      closeAll(servers)
      throw error
    }
    if (current === this.#lines) this.#servers = servers
    return { close: () => closeAll(servers) }
  }

  #serverOf(single: Single, current: number, onDown: (reason: unknown) => void): TrackedServer {
    return new TrackedServer({
      single,
      prefixes: this.#names.prefixes,
      probe: `millpond:${randomId()}`,
      onKeys: (keys) => {
        if (current === this.#lines && !this.#closed) this.#hear(keys)
      },
      onDown,
      nowMs: () => this.#options.clock.monotonic(),
    })
  }

  #heard(): void {
    this.#receivers.catchUp()
    this.#setReady()
  }

  #hear(keys: readonly string[] | undefined): void {
    this.#receivers.catchUp()
    for (const message of this.#names.messages(keys)) this.#receivers.message(message)
  }

  #checkLater(): void {
    const { clock, heartbeatMs } = this.#options
    this.#tick = clock.after(heartbeatMs, () => {
      if (this.#keeper.isUp && !this.#isChecking) void this.#check()
      this.#checkLater()
    })
  }

  async #check(): Promise<void> {
    const { clock, source } = this.#options
    const servers = this.#servers
    this.#isChecking = true
    try {
      await timeLimit(
        clock,
        this.#limitMs,
        async () => {
          const clients = (await everyServer(await source.get())).map(({ client }) => client)
          if (clients.length !== servers.length || !servers.every((server) => clients.includes(server.client)))
            throw new StoreError('the primaries of the cluster have changed')
          await Promise.all(servers.map((server) => server.check(this.#limitMs)))
        },
        () => {
          throw new StoreError(`a check took longer than ${this.#limitMs} ms`)
        },
      )
    } catch (error) {
      if (servers === this.#servers && !this.#closed) this.#keeper.renew(error)
    } finally {
      this.#isChecking = false
    }
  }
}

function closeAll(servers: readonly TrackedServer[]): void {
  for (const server of servers) server.close()
}
