import type { BusMessage } from '../core/bus.ts'

/**
 * What waits to be published. What is added in one turn leaves together, and what is added while a packet is on its way
 * leaves with the next: one at a time, so that packets arrive in order, whatever the client does about connections.
 * A packet has a bound. So has the whole: of a cache that has more names to tell than `NAMES_MAX` all is cleared.
 */
export class Outbox {
  readonly #send: (messages: readonly BusMessage[]) => Promise<unknown>
  #waiting: Waiting[] = []
  /** How many names wait, by cache. */
  readonly #names = new Map<string, number>()
  #isSending = false

  /** @param send publishes one packet */
  constructor(send: (messages: readonly BusMessage[]) => Promise<unknown>) {
    this.#send = send
  }

  /** Resolves when the message is published; rejects with what `send` throws. */
  add(message: BusMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const parts = partsOf(message)
      for (const part of parts) {
        // They leave in this order, so when the last has left all have.
        const isLast = part === parts.at(-1)
        this.#push({ message: part, names: namesIn(part), resolve: isLast ? resolve : noop, reject })
      }
      if (this.#names.get(message.cache)! > NAMES_MAX) this.#clear(message.cache)
      if (this.#isSending) return
      this.#isSending = true
      queueMicrotask(() => void this.#run())
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const packet = this.#take()
      try {
        await this.#send(packet.map(({ message }) => message))
        for (const { resolve } of packet) resolve()
      } catch (error) {
        for (const { reject } of packet) reject(error)
      }
    }
    this.#isSending = false
  }

  #push(waiting: Waiting): void {
    const { cache } = waiting.message
    this.#waiting.push(waiting)
    this.#names.set(cache, (this.#names.get(cache) ?? 0) + waiting.names)
  }

  #take(): Waiting[] {
    let [names, count] = [0, 0]
    for (const waiting of this.#waiting) {
      names += waiting.names
      if (count > 0 && names > PACKET_NAMES_MAX) break
      count++
    }
    const packet = this.#waiting.splice(0, count)
    for (const { message, names } of packet) this.#names.set(message.cache, this.#names.get(message.cache)! - names)
    return packet
  }

  /** Instead of all that waits of a cache: that everything of it may be old. */
  #clear(cache: string): void {
    const replaced = this.#waiting.filter(({ message }) => message.cache === cache)
    this.#waiting = this.#waiting.filter(({ message }) => message.cache !== cache)
    this.#names.set(cache, 0)
    this.#push({
      message: { cache, kind: 'clear' },
      names: 1,
      resolve() {
        for (const { resolve } of replaced) resolve()
      },
      reject(error) {
        for (const { reject } of replaced) reject(error)
      },
    })
  }
}

/** Most names of keys and tags of one packet. */
export const PACKET_NAMES_MAX = 1000
/** Most names of one cache that wait: beyond, it is cleared. */
export const NAMES_MAX = 10_000

interface Waiting {
  readonly message: BusMessage
  readonly names: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

function namesIn({ keys = [], tags = [] }: BusMessage): number {
  return 1 + keys.length + tags.length
}

/** The message itself, or several that say the same and fit into a packet each. */
function partsOf(message: BusMessage): BusMessage[] {
  if (namesIn(message) <= PACKET_NAMES_MAX) return [message]
  const { cache, kind, keys = [], tags = [] } = message
  const part = (of: { keys: readonly string[] } | { tags: readonly string[] }): BusMessage => ({ cache, kind, ...of })
  return [...slices(keys).map((some) => part({ keys: some })), ...slices(tags).map((some) => part({ tags: some }))]
}

function slices(names: readonly string[]): string[][] {
  const size = PACKET_NAMES_MAX - 1
  return Array.from({ length: Math.ceil(names.length / size) }, (_, at) => names.slice(at * size, (at + 1) * size))
}

function noop(): void {}
