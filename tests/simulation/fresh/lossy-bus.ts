import type { Bus, BusMessage, BusReceiver } from 'millpond'

/** A bus whose messages can be lost on their way here, and nobody says so. */
export class LossyBus implements Bus {
  isDeaf = false
  readonly #bus: Bus

  constructor(bus: Bus) {
    this.#bus = bus
  }

  publish(message: BusMessage): Promise<void> {
    return this.#bus.publish(message)
  }

  subscribe(receiver: BusReceiver): () => void {
    const message = (heard: BusMessage): void => {
      if (!this.isDeaf) receiver.message(heard)
    }
    return this.#bus.subscribe({ message, gap: () => receiver.gap() })
  }

  close(): Promise<void> {
    return this.#bus.close()
  }
}
