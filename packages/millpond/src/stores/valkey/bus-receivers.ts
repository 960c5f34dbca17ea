import type { BusMessage, BusReceiver } from '../../core/bus.ts'
import type { Logger } from '../../core/logger.ts'

/** Those who listen to a bus. One that throws is reported, and holds up no other. */
export class Receivers {
  readonly #receivers = new Set<BusReceiver>()
  readonly #logger: Logger
  gaps = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get size(): number {
    return this.#receivers.size
  }

  add(receiver: BusReceiver): () => void {
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
