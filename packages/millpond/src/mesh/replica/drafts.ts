import { createHash } from 'node:crypto'
import type { PeerId } from '../link/link.ts'
import { HASH_BYTES, type Operation, type OperationKind } from './body.ts'
import type { Entry } from './entry.ts'
import type { MapState } from './map-state.ts'
import type { Values } from './values.ts'

/** A value is sent whole up to `MESSAGE - ROOM`: what else stands in its message takes less than that. */
export const ROOM_BYTES = 8192

/**
 * Makes operations of entries: one object, filled anew for each, because a process makes hundreds of thousands a second.
 */
export class Drafts implements Operation {
  kind: OperationKind = 'set'
  key = ''
  version = 0
  origin: PeerId | undefined
  base = 0
  lifeMs = 0
  memoryMs: number | undefined
  bytes: Uint8Array | undefined
  value: unknown
  sizeBytes = 0
  readonly #values: Values
  readonly #self: PeerId
  #wholeMax = 0

  constructor(values: Values, self: PeerId) {
    this.#values = values
    this.#self = self
  }

  /** Values of more bytes than that are announced. */
  announceAbove(bytes: number): void {
    this.#wholeMax = bytes
  }

  /** The entry as a change that has just happened. */
  live(map: MapState, entry: Entry, nowMs: number): Operation {
    this.#fill(map, entry, nowMs)
    this.memoryMs = undefined
    return this
  }

  /** The entry as what is known of it. Undefined where what is known is about to end, so it is not carried round and round. */
  known(map: MapState, entry: Entry, nowMs: number): Operation | undefined {
    if (entry === map.ledger.mark && entry.version === 0) return undefined
    this.#fill(map, entry, nowMs)
    this.memoryMs = undefined
    if (entry.state === 'held' && this.lifeMs < LIFE_MS_LEAST) {
      // Its value is not worth the way any more; that it has replaced another is.
      if (!entry.follows) return undefined
      this.kind = 'void'
      this.bytes = undefined
      this.lifeMs = Number.POSITIVE_INFINITY
    }
    if (entry !== map.ledger.mark && !(entry.state === 'held' && map.mode.everything)) {
      this.memoryMs = entry.counted ? Math.max(0, entry.rememberedUntilMs - nowMs) : 0
      if (entry.state !== 'held' && this.memoryMs < LIFE_MS_LEAST) return undefined
    }
    return this
  }

  #fill(map: MapState, entry: Entry, nowMs: number): void {
    this.key = entry.key
    this.version = entry.version
    this.origin = entry.origin === this.#self ? undefined : entry.origin
    this.base = entry.base
    this.lifeMs = Number.POSITIVE_INFINITY
    this.bytes = undefined
    this.value = undefined
    this.sizeBytes = 0
    if (entry === map.ledger.mark) this.kind = 'clear'
    else if (entry.state === 'deleted') this.kind = 'delete'
    else if (entry.state !== 'held' || map.mode.sync === 'invalidate' || entry.endsAtMs <= nowMs) this.kind = 'void'
    else this.#fillValue(entry, nowMs)
  }

  #fillValue(entry: Entry, nowMs: number): void {
    this.lifeMs = entry.endsAtMs - nowMs
    if (this.#values.isPlain(entry)) {
      this.kind = 'set'
      this.value = entry.value
      return
    }
    const bytes = this.#values.bytes(entry)
    this.sizeBytes = bytes.length
    this.kind = bytes.length > this.#wholeMax ? 'announce' : 'set'
    this.bytes = this.kind === 'set' ? bytes : hashOf(bytes)
  }
}

/** What an announcement says of a value. */
export function hashOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, HASH_BYTES)
}

/** What ends sooner is not told any more. */
const LIFE_MS_LEAST = 1000
