import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { PeerId } from '../link/link.ts'

/**
 * Asks a peer whether it lives: whoever sends back the 16 bytes, in a packet of its own, is no recording of an
 * earlier session. Nothing is kept for a peer that was asked: the challenge is a hash of its id and of the time, under a secret of
 * this process, and holds for 10 to 20 seconds.
 */
export class Challenge {
  readonly #secret = randomBytes(32)
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What this peer has to send back now. */
  of(peer: PeerId): Uint8Array {
    return this.#at(peer, this.#slot())
  }

  /** Whether an echo is what the peer was asked for lately. */
  isAnswered(peer: PeerId, echo: Uint8Array): boolean {
    if (echo.length !== CHALLENGE_BYTES) return false
    const slot = this.#slot()
    return timingSafeEqual(echo, this.#at(peer, slot)) || timingSafeEqual(echo, this.#at(peer, slot - 1))
  }

  #slot(): number {
    return Math.floor(this.#clock.monotonic() / SLOT_MS)
  }

  #at(peer: PeerId, slot: number): Buffer {
    return createHmac('sha256', this.#secret).update(`${peer}/${slot}`).digest().subarray(0, CHALLENGE_BYTES)
  }
}

export const CHALLENGE_BYTES = 16
const SLOT_MS = 10_000
