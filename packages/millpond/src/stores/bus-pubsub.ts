import type { Bus, BusMessage, BusReceiver } from '../core/bus.ts'
import { type Clock, type Timer, timeLimit } from '../core/clock.ts'
import { ClosedError, StoreError } from '../core/errors.ts'
import { randomId } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { Keeper, type Line } from './bus-keeper.ts'
import { Outbox } from './bus-outbox.ts'
import { decodePacket, encodePacket, type Packet } from './bus-packet.ts'
import { Receivers } from './bus-receivers.ts'
import { Senders } from './bus-senders.ts'
import type { BusStatus } from './bus-status.ts'

/** One channel of a server, or of several that pass messages on to each other. */
export interface Channel {
  /** Sends to all who listen, in the order of the calls. */
  send(payload: string): Promise<unknown>
  /** Listens, on a connection of its own, until the line is closed. Resolves when nothing is missed any more. */
  listen(hear: (payload: string) => void, onDown: (reason: unknown) => void, signal: AbortSignal): Promise<Line>
  /** Ends what was opened here. */
  close(): Promise<void>
}

/** What a bus over pub/sub needs. */
export interface PubSubBusOptions {
  readonly channel: Channel
  readonly heartbeatMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * A bus over publish and subscribe, which by itself loses messages without a word.
 *
 * Every packet has its sender's next number, and heartbeats repeat the last one, so whoever missed a packet finds the
 * hole, one heartbeat later at the latest, whatever lost it. A bus hears itself too, and takes no message from itself:
 * when its own heartbeats do not come back, it is deaf, although the socket may look well, and subscribes anew. It tells of the
 * gap twice: when it finds that it was deaf, for what was missed until then, and when it hears again.
 *
 * Who begins to listen says hello, so that the others' numbers are known soon. A sender that turns up with numbers
 * behind it may have said something that was missed: a gap. In the first moments one is told for all of them, at the end
 * or before the next message.
 */
export class PubSubBus implements Bus {
  readonly #options: PubSubBusOptions
  readonly #sender = randomId()
  readonly #receivers: Receivers
  readonly #senders = new Senders()
  readonly #outbox: Outbox
  readonly #keeper: Keeper
  readonly #lateMs: number
  #sequence = 0
  /** Lines that were opened. */
  #lines = 0
  #ignored = 0
  #echoAtMs = 0
  #isBeating = false
  /** Until then newcomers are gathered. */
  #settling: { readonly timer: Timer; newcomers: number } | undefined
  #tick: Timer | undefined
  #soon: Timer | undefined
  #closed = false
  readonly #isReady: Promise<void>
  #setReady!: () => void

  constructor(options: PubSubBusOptions) {
    const { channel, clock, heartbeatMs, logger } = options
    this.#options = options
    this.#isReady = new Promise((resolve) => {
      this.#setReady = resolve
    })
    this.#lateMs = heartbeatMs * HEARTBEATS_MISSED
    this.#receivers = new Receivers(logger)
    this.#outbox = new Outbox((messages) => this.#send('beat', messages))
    this.#keeper = new Keeper({
      clock,
      limitMs: this.#lateMs,
      pauseMsMax: heartbeatMs,
      open: (onDown, signal) => this.#listen(channel, onDown, signal),
      onUp: () => this.#heard(),
      onDown: (reason, wasUp) =>
        this.#receivers.lost(reason, wasUp, wasUp ? 'the bus lost its connection' : 'the bus cannot connect'),
    })
    this.#keeper.start()
    this.#beatLater()
  }

  async publish(message: BusMessage): Promise<void> {
    if (this.#closed) throw new ClosedError('the bus')
    return this.#outbox.add(message)
  }

  subscribe(receiver: BusReceiver): () => void {
    return this.#receivers.add(receiver, this.#keeper.isUp)
  }

  /** Resolves when changes are heard for the first time. */
  ready(): Promise<void> {
    return this.#isReady
  }

  status(): BusStatus {
    const reconnects = Math.max(0, this.#lines - 1)
    return { connected: this.#keeper.isUp, gaps: this.#receivers.gaps, reconnects, ignored: this.#ignored }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#receivers.clear()
    for (const timer of [this.#tick, this.#soon, this.#settling?.timer]) timer?.cancel()
    if (this.#keeper.isUp) await this.#send('bye', []).catch(() => {})
    this.#keeper.close()
    await this.#options.channel.close()
  }

  /** A line that speaks before it says that it is open is open. */
  #listen(channel: Channel, onDown: (reason: unknown) => void, signal: AbortSignal): Promise<Line> {
    const line = ++this.#lines
    const hear = (payload: string): void => {
      if (line === this.#lines && !this.#closed) this.#hear(payload)
    }
    return channel.listen(hear, onDown, signal)
  }

  /** Nothing is missed from now on. */
  #heard(): void {
    const { clock, heartbeatMs } = this.#options
    this.#echoAtMs = clock.monotonic()
    this.#senders.clear()
    this.#settling?.timer.cancel()
    this.#settling = { newcomers: 0, timer: clock.after(heartbeatMs, () => this.#settle()) }
    this.#receivers.catchUp()
    this.#setReady()
    this.#beat('hello')
  }

  #settle(): void {
    this.#tellOfNewcomers()
    this.#settling = undefined
  }

  #tellOfNewcomers(): void {
    if (this.#settling === undefined || this.#settling.newcomers === 0) return
    this.#settling.newcomers = 0
    this.#receivers.gap()
  }

  #hear(payload: string): void {
    const packet = decodePacket(payload)
    if (typeof packet === 'string') {
      this.#ignored++
      if (packet === 'unknown') this.#receivers.gap()
      return
    }
    const nowMs = this.#options.clock.monotonic()
    if (packet.sender === this.#sender) {
      this.#echoAtMs = nowMs
      return
    }
    this.#receivers.catchUp()
    const found = this.#senders.hear(packet, nowMs)
    if (found === 'newcomer' && this.#settling !== undefined) this.#settling.newcomers++
    else if (found !== 'whole') this.#receivers.gap()
    if (packet.sign === 'hello') this.#beatSoon()
    if (packet.messages.length > 0) this.#tellOfNewcomers()
    for (const message of packet.messages) this.#receivers.message(message)
  }

  async #send(sign: Packet['sign'], messages: readonly BusMessage[]): Promise<void> {
    const { channel, clock } = this.#options
    if (messages.length > 0) this.#sequence++
    const payload = encodePacket({ sender: this.#sender, sequence: this.#sequence, sign, messages })
    await timeLimit(
      clock,
      this.#lateMs,
      () => channel.send(payload),
      () => {
        throw new StoreError(`publishing took longer than ${this.#lateMs} ms`)
      },
    )
  }

  #beatLater(): void {
    const { clock, heartbeatMs } = this.#options
    this.#tick = clock.after(heartbeatMs, () => {
      const nowMs = clock.monotonic()
      this.#senders.forgetBefore(nowMs - FORGET_MS - this.#lateMs)
      if (this.#keeper.isUp && nowMs - this.#echoAtMs >= this.#lateMs) {
        this.#keeper.renew(new StoreError(`nothing came back for ${Math.round(nowMs - this.#echoAtMs)} ms`))
      }
      this.#beat('beat')
      this.#beatLater()
    })
  }

  /** Somebody waits for a heartbeat. Many who ask together are given one, and not by all at the same time. */
  #beatSoon(): void {
    const { clock, heartbeatMs, random } = this.#options
    this.#soon ??= clock.after(random() * Math.min(SOON_MS, heartbeatMs / 4), () => {
      this.#soon = undefined
      this.#beat('beat')
    })
  }

  /** One heartbeat at a time: on a connection that hangs they would gather. */
  #beat(sign: Packet['sign']): void {
    if (this.#isBeating) return
    this.#isBeating = true
    this.#send(sign, [])
      .catch(() => {}) // it does not come back either, and that is noticed
      .finally(() => {
        this.#isBeating = false
      })
  }
}

/** After so many of its own heartbeats that did not come back a bus takes its connection for dead. */
const HEARTBEATS_MISSED = 3
const SOON_MS = 100
/** A sender that is silent for so long has ended without a word. */
const FORGET_MS = 600_000
