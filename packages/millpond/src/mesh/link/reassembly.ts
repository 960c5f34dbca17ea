/**
 * Messages of one sender that came in several datagrams, put together again. Bounded in bytes: beyond, the message that
 * waits longest is given up.
 */
export class Reassembly {
  /** What the parts that wait take. */
  bytes = 0
  /** How many messages were given up for space. */
  overflows = 0
  readonly #bytesMax: number
  readonly #messageBytesMax: number
  readonly #unfinished = new Map<number, Unfinished>()

  constructor(bytesMax: number, messageBytesMax: number) {
    this.#bytesMax = bytesMax
    this.#messageBytesMax = messageBytesMax
  }

  /** Adds part `index` of `count`; the first part has the sequence number `first`. Returns the message when it is whole. */
  add(first: number, index: number, count: number, part: Uint8Array): Uint8Array | undefined {
    if (index >= count || count < 2) return undefined
    let message = this.#unfinished.get(first)
    if (message === undefined) {
      message = { parts: new Array(count).fill(undefined), left: count, bytes: 0 }
      this.#unfinished.set(first, message)
    }
    if (message.parts.length !== count || message.parts[index] !== undefined) return undefined
    if (message.bytes + part.length > this.#messageBytesMax) return undefined
    message.parts[index] = Uint8Array.from(part)
    message.bytes += part.length
    this.bytes += part.length
    if (--message.left === 0) {
      this.#forget(first, message)
      return joined(message)
    }
    while (this.bytes > this.#bytesMax) this.#overflow()
    return undefined
  }

  /** Every datagram up to `contiguous` came or was given up: a message that ends there and is not whole never will be. */
  settle(contiguous: number): void {
    for (const [first, message] of this.#unfinished)
      if (first + message.parts.length - 1 <= contiguous) this.#forget(first, message)
  }

  /** How many messages wait for parts. */
  get unfinished(): number {
    return this.#unfinished.size
  }

  #overflow(): void {
    for (const [first, message] of this.#unfinished) {
      this.#forget(first, message)
      this.overflows++
      return
    }
  }

  #forget(first: number, message: Unfinished): void {
    this.#unfinished.delete(first)
    this.bytes -= message.bytes
  }
}

interface Unfinished {
  readonly parts: (Uint8Array | undefined)[]
  left: number
  bytes: number
}

function joined({ parts, bytes }: Unfinished): Uint8Array {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part!, at)
    at += part!.length
  }
  return whole
}
