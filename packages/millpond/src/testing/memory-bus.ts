import type { Bus, BusMessage, BusReceiver } from '../core/bus.ts'

/**
 * A bus between caches of one process: the reference for what the port means. Each cache gets an end of its own by
 * `connect`. Messages arrive in later microtasks, in order; `cut` loses them until `heal`, which tells of the gap.
 */
export class MemoryBusHub {
  readonly #ends = new Set<BusEnd>()

  /** An end for one cache. */
  connect(): BusEnd {
    const end = new BusEnd((message) => this.#deliver(end, message))
    this.#ends.add(end)
    return end
  }

  #deliver(from: BusEnd, message: BusMessage): void {
    if (from.isCut) return
    for (const end of this.#ends) if (end !== from) end.receive(message)
  }
}

/** One cache's end of a `MemoryBusHub`. */
export class BusEnd implements Bus {
  isCut = false
  readonly #send: (message: BusMessage) => void
  readonly #receivers = new Set<BusReceiver>()

  constructor(send: (message: BusMessage) => void) {
    this.#send = send
  }

  async publish(message: BusMessage): Promise<void> {
    await Promise.resolve()
    this.#send(message)
  }

  subscribe(receiver: BusReceiver): () => void {
    this.#receivers.add(receiver)
    return () => void this.#receivers.delete(receiver)
  }

  /** Hands a message of another end to the subscribers of this one, unless it is cut off. */
  receive(message: BusMessage): void {
    if (this.isCut) return
    for (const receiver of this.#receivers) receiver.message(message)
  }

  /** Loses what is sent and received from now on. */
  cut(): void {
    this.isCut = true
  }

  /** Connects again; the receivers are told that they may have missed messages. */
  heal(): void {
    this.isCut = false
    for (const receiver of this.#receivers) receiver.gap()
  }

  async close(): Promise<void> {
    this.#receivers.clear()
  }
}
