import type { Clock } from '../../core/clock.ts'
import type { Link } from '../link/link.ts'
import { BodyWriter, type Operation } from './body.ts'
import { Drafts, ROOM_BYTES } from './drafts.ts'
import { compareChanges, type Entry } from './entry.ts'
import { modeByte } from './map-mode.ts'
import type { MapState } from './map-state.ts'
import type { Values } from './values.ts'

/** The first byte of messages: what they carry. */
export const OPERATIONS = 1

export interface SenderOptions {
  readonly link: Link
  readonly clock: Clock
  readonly values: Values
  /** Runs something at the end of this turn of the event loop. */
  readonly defer: (run: () => void) => void
}

/**
 * Brings what the maps have to tell into messages: once a turn of the event loop, as many operations in a datagram as fit,
 * each map a datagram in turn, and no more than the link has room for. What does not go now waits as keys in `Unsent`, and is
 * read when its turn comes.
 */
export class Sender {
  readonly #link: Link
  readonly #clock: Clock
  readonly #values: Values
  readonly #defer: (run: () => void) => void
  readonly #drafts: Drafts
  readonly #writer: BodyWriter
  readonly #ready = new Set<MapState>()
  readonly #inMessage = new Set<MapState>()
  /** Whether the message has one operation that is longer than a datagram. */
  #isLong = false
  #isDeferred = false
  #isClosed = false
  /** How often the link had no room. */
  blocked = 0
  readonly #flush = (): void => this.flush()

  constructor({ link, clock, values, defer }: SenderOptions) {
    this.#link = link
    this.#clock = clock
    this.#values = values
    this.#defer = defer
    this.#drafts = new Drafts(values, link.self)
    this.#drafts.announceAbove(link.messageBytesMax - ROOM_BYTES)
    this.#writer = new BodyWriter(link.messageBytesMax)
  }

  /** Whether anything waits. */
  get isBusy(): boolean {
    return this.#ready.size > 0
  }

  /** Something of the map waits. */
  waits(map: MapState): void {
    this.#ready.add(map)
    if (this.#isDeferred || this.#isClosed) return
    this.#isDeferred = true
    this.#defer(this.#flush)
  }

  /** Sends what there is room for, about `TURN_BYTES_MAX` at most; the rest in the next turn, or when there is room. */
  flush(): void {
    this.#isDeferred = false
    for (let left = TURN_BYTES_MAX; this.#ready.size > 0 && !this.#isClosed; left -= this.#sendMessage()) {
      if (this.#link.room() <= 0) {
        this.blocked++
        return
      }
      if (left <= 0) {
        this.#isDeferred = true
        this.#defer(this.#flush)
        return
      }
    }
  }

  close(): void {
    this.#isClosed = true
  }

  /** Returns how many bytes it took. */
  #sendMessage(): number {
    this.#writer.begin(this.#link.datagramBodyBytes, OPERATIONS)
    this.#isLong = false
    let isFull = false
    for (const map of [...this.#ready]) {
      isFull = !this.#fill(map)
      // The next message begins with the next map.
      this.#ready.delete(map)
      if (map.unsent.size > 0) this.#ready.add(map)
      if (isFull) break
    }
    const { isEmpty, body } = this.#writer
    this.#went(isEmpty ? this.#link.sent() : this.#link.send(body))
    return body.length
  }

  #went(seq: number): void {
    for (const map of this.#inMessage) map.unsent.went(seq)
    this.#inMessage.clear()
  }

  /** Writes what waits of a map. False when the message is full. */
  #fill(map: MapState): boolean {
    const nowMs = this.#clock.monotonic()
    for (let entry = map.unsent.first(); entry; entry = map.unsent.first()) {
      if (this.#isOvertaken(map, entry)) {
        this.#took(map, entry)
        continue
      }
      const operation = this.#drafts.live(map, entry, nowMs)
      if (!this.#add(map, operation)) return false
      map.counters.sent++
      this.#values.sent(entry)
      this.#took(map, entry)
      if (this.#isLong) return false
    }
    return true
  }

  #took(map: MapState, entry: Entry): void {
    map.unsent.took(entry)
    this.#inMessage.add(map)
  }

  /** Whether nobody needs to be told of the entry any more: a peer has changed it since, or the map was cleared. */
  #isOvertaken(map: MapState, entry: Entry): boolean {
    const { mark } = map.ledger
    if (entry === mark) return false
    return compareChanges(entry, mark) <= 0 || (entry.origin !== this.#link.self && entry.state !== 'deleted')
  }

  /** Adds the operation to the message. One that is longer than a datagram gets a message of its own. */
  #add(map: MapState, operation: Operation): boolean {
    const mode = modeByte(map.mode)
    if (this.#writer.add(map.name, mode, operation)) return true
    if (!this.#writer.isEmpty) return false
    this.#writer.begin(this.#link.messageBytesMax, OPERATIONS)
    this.#isLong = true
    return this.#writer.add(map.name, mode, operation)
  }
}

/** More than that would keep the event loop from everything else. */
const TURN_BYTES_MAX = 256 * 1024
