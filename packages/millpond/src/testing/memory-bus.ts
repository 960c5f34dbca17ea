import type { Bus, BusMessage, BusReceiver } from '../core/bus.ts'

/**
 * A bus between caches of one process: the reference for what the port means. Each cache gets an end of its own by
 * `connect`. Messages arrive in later microtasks, in order; `cut` loses them until `heal`, which tells of the gap: those
 * whose messages were lost as well as this one, as sequence numbers do on a real bus.
 */
export class MemoryBusHub {
  readonly #ends = new Set<BusEnd>()

  /** An end for one cache. */
  connect(): BusEnd {
    const end = new BusEnd((tell) => this.#tell(end, tell))
    this.#ends.add(end)
    return end
  }

  #tell(from: BusEnd, tell: (receiver: BusReceiver) => void): void {
    for (const end of this.#ends) if (end !== from) end.receive(tell)
  }
}

/** One cache's end of a `MemoryBusHub`. */
export class BusEnd implements Bus {
  #isCut = false
  #hasLost = false
  readonly #send: (tell: (receiver: BusReceiver) => void) => void
  readonly #receivers = new Set<BusReceiver>()

  /** @param send brings something to the receivers of every other end */
  constructor(send: (tell: (receiver: BusReceiver) => void) => void) {
    this.#send = send
  }

  async publish(message: BusMessage): Promise<void> {
    await Promise.resolve()
    if (this.#isCut) this.#hasLost = true
    else this.#send((receiver) => receiver.message(message))
  }

  subscribe(receiver: BusReceiver): () => void {
    this.#receivers.add(receiver)
    return () => void this.#receivers.delete(receiver)
  }

  /** Hands a message of another end to the subscribers of this one, unless it is cut off. */
  receive(tell: (receiver: BusReceiver) => void): void {
    if (this.#isCut) return
    for (const receiver of this.#receivers) tell(receiver)
  }

  /** Loses what is sent and received from now on. */
  cut(): void {
    this.#isCut = true
  }

  /** Connects again. Who may have missed messages is told so: the receivers here, and those that this end did not reach. */
  heal(): void {
    this.#isCut = false
    for (const receiver of this.#receivers) receiver.gap()
    if (this.#hasLost) this.#send((receiver) => receiver.gap())
    this.#hasLost = false
  }

  async close(): Promise<void> {
    this.#receivers.clear()
  }
}
