import type { Packet } from './bus-packet.ts'

/**
 * The senders that were heard, each with the number of its last packet: a number that does not follow is a hole, and what
 * was in it is lost. Heartbeats carry the last number, so that a loss shows although nothing more is said.
 */
export class Senders {
  readonly #heard = new Map<string, { sequence: number; atMs: number }>()

  /**
   * Takes note of a packet. `'hole'`: packets before it are missing. `'newcomer'`: never heard before, but it has said
   * something before; what that was is unknown.
   */
  hear({ sender, sequence, sign, messages }: Packet, nowMs: number): 'whole' | 'hole' | 'newcomer' {
    const known = this.#heard.get(sender)
    const follows = sequence - (messages.length > 0 ? 1 : 0)
    if (sign === 'bye') this.#heard.delete(sender)
    else this.#heard.set(sender, { sequence: Math.max(sequence, known?.sequence ?? 0), atMs: nowMs })
    if (known !== undefined) return follows > known.sequence ? 'hole' : 'whole'
    return follows > 0 && sign !== 'bye' ? 'newcomer' : 'whole'
  }

  /** Forgets senders that have been silent since before a time. Who comes back is a newcomer. */
  forgetBefore(timeMs: number): void {
    for (const [sender, { atMs }] of this.#heard) if (atMs < timeMs) this.#heard.delete(sender)
  }

  /** Begins anew: what was said meanwhile is unknown of all. */
  clear(): void {
    this.#heard.clear()
  }
}
