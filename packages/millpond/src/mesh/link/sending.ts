import { OptionError } from '../../core/errors.ts'
import type { Flow } from './flow.ts'
import type { LinkParts } from './link-parts.ts'
import { LinkFlags, PacketType } from './packet-type.ts'
import { stamp } from './round-trip.ts'
import { MESSAGE_BYTES_MAX } from './settings.ts'

/** A part of a message: u8 index, u8 count, then its bytes. */
export const PART_HEAD_BYTES = 2
/** A heartbeat: u32 life, u32 stamp. */
export const HEARTBEAT_BYTES = 8

/**
 * Messages to all, cut into datagrams where they are long, and the heartbeats after the last one. A receiver sees a gap
 * by what comes after it; nothing comes after the last datagram but these: 4, 8, 16 ms later and so on, then every 500 ms.
 */
export class Sending {
  /** Messages, and bytes of the datagrams that carried them. */
  messages = 0
  bytes = 0
  /** SWIM's incarnation number of this process: raised to refute a suspicion. */
  life = 1
  readonly #parts: LinkParts
  readonly #flow: Flow
  #beatAtMs: number
  #stepMs: number = KEEP_ALIVE_MS

  constructor(parts: LinkParts, flow: Flow) {
    this.#parts = parts
    this.#flow = flow
    this.#beatAtMs = parts.clock.monotonic() + KEEP_ALIVE_MS
  }

  /** Sends a message. Returns the number of its last datagram. */
  send(body: Uint8Array): number {
    const { outbox, ring, clock, agenda } = this.#parts
    if (body.length > MESSAGE_BYTES_MAX) {
      throw new OptionError('body', `${body.length} bytes`, `send at most ${MESSAGE_BYTES_MAX}, and more by a stream`)
    }
    this.messages++
    if (body.length <= outbox.bodyBytesMax) this.bytes += outbox.next(PacketType.message, body)
    else this.#sendParts(body)
    this.#stepMs = BEAT_MS_FIRST
    this.#beatAtMs = clock.monotonic() + BEAT_MS_FIRST
    agenda.by(this.#beatAtMs)
    return ring.highest
  }

  #sendParts(body: Uint8Array): void {
    const { outbox } = this.#parts
    const { scratch } = outbox
    const partBytes = outbox.bodyBytesMax - PART_HEAD_BYTES
    const count = Math.ceil(body.length / partBytes)
    for (let index = 0; index < count; index++) {
      const bytes = body.subarray(index * partBytes, (index + 1) * partBytes)
      scratch[0] = index
      scratch[1] = count
      scratch.set(bytes, PART_HEAD_BYTES)
      this.bytes += outbox.next(PacketType.part, scratch.subarray(0, PART_HEAD_BYTES + bytes.length))
    }
  }

  /** Beats if it is time. Returns when it has to look again. */
  look(nowMs: number): number {
    if (nowMs < this.#beatAtMs) return this.#beatAtMs
    this.beat(nowMs)
    this.#stepMs = this.#stepMs >= BEAT_MS_MOST ? KEEP_ALIVE_MS : this.#stepMs * 2
    this.#beatAtMs = nowMs + this.#stepMs
    return this.#beatAtMs
  }

  /** Says to all that this process lives, and what it sent last. */
  beat(nowMs: number): void {
    const { outbox } = this.#parts
    outbox.scratch.writeUInt32LE(this.life, 0)
    outbox.scratch.writeUInt32LE(stamp(nowMs), 4)
    outbox.toAll(PacketType.heartbeat, this.#flow.wantsStatus() ? LinkFlags.statusWanted : 0, HEARTBEAT_BYTES)
  }
}

const BEAT_MS_FIRST = 4
const BEAT_MS_MOST = 256
/** Half a second: a peer whose event loop was blocked for one is then silent for no more than 1.5. */
const KEEP_ALIVE_MS = 500
