import type { BusMessage, BusReceiver } from '../core/bus.ts'
import type { Logger } from '../core/logger.ts'

/** Those who listen to a bus, and whether they may have missed something. One that throws is reported, and holds up no other. */
export class Receivers {
  readonly #receivers = new Set<BusReceiver>()
  readonly #logger: Logger
  gaps = 0
  /** Some were there while nothing was heard. */
  #mayHaveMissed = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @param isHearing whether something would be heard now */
  add(receiver: BusReceiver, isHearing: boolean): () => void {
    if (!isHearing) this.#mayHaveMissed = true
    this.#receivers.add(receiver)
    return () => void this.#receivers.delete(receiver)
  }

  clear(): void {
    this.#receivers.clear()
  }

  message(message: BusMessage): void {
    this.#each((receiver) => receiver.message(message))
  }

  gap(): void {
    this.gaps++
    this.#each((receiver) => receiver.gap())
  }

  /** Nothing is heard any more: `wasHearing` until now. */
  lost(error: unknown, wasHearing: boolean, words: string): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#logger.warn({ reason }, words)
    if (this.#receivers.size > 0) this.#mayHaveMissed = true
    if (wasHearing) this.gap()
  }

  /** Something is heard again: who may have missed something is told. */
  catchUp(): void {
    if (!this.#mayHaveMissed) return
    this.#mayHaveMissed = false
    this.gap()
  }

  #each(tell: (receiver: BusReceiver) => void): void {
    for (const receiver of this.#receivers) {
      try {
        tell(receiver)
      } catch (error) {
        this.#logger.error({ error }, 'a receiver of the bus threw')
      }
    }
  }
}
