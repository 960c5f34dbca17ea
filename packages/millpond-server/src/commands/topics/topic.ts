/** One topic: a channel whose messages have numbers, and the last of them. */

/** Kept at most: more is no use to somebody who was away for a moment. A power of two. */
const MESSAGES_MAX = 1024
/** About what a message takes beside its bytes, and a topic without any. */
const BYTES_OF_MESSAGE = 32
const BYTES_OF_TOPIC = 256

export interface TopicMessage {
  readonly number: number
  /** A byte string. */
  readonly message: string
}

/** What a reader has not seen yet. */
export interface TopicNews {
  readonly messages: readonly TopicMessage[]
  /** The number to go on with. */
  readonly next: number
  /** Numbers were left out: the last one before the hole, and the first one after it. */
  readonly gap?: { readonly last: number; readonly next: number }
}

/**
 * Messages are numbered from 1. Numbers say something on one `page` only: a topic that was forgotten, or a server that
 * started again, begins a new page. So a reader that goes on where it stopped hears whether it has missed something.
 */
export class Topic {
  readonly name: string
  readonly page: number
  /** Of the next message. */
  next = 1
  /** About what it takes. */
  bytes: number
  /** Of the oldest message that is kept; `next`: none is. */
  #oldest = 1
  /** By number, modulo the length. */
  readonly #messages: string[] = []

  constructor(name: string, page: number) {
    this.name = name
    this.page = page
    this.bytes = BYTES_OF_TOPIC + name.length
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Adds a message and returns its number. */
  append(message: string): number {
    if (this.next - this.#oldest === MESSAGES_MAX) this.drop()
    const number = this.next++
    this.#messages[number % MESSAGES_MAX] = message
    this.bytes += message.length + BYTES_OF_MESSAGE
    return number
  }

  /** Forgets the oldest message. */
  drop(): void {
    const place = this.#oldest++ % MESSAGES_MAX
    this.bytes -= this.#messages[place]!.length + BYTES_OF_MESSAGE
    this.#messages[place] = ''
  }

  /**
   * What comes from a number on, as far as it is there.
   *
   * @param number the one that is wanted next; 0: what is yet to come
   * @param page on which; 0: the present one
   */
  from(number: number, page: number, countMax: number = MESSAGES_MAX): TopicNews {
    if (number === 0) return { messages: [], next: this.next }
    const begin = page !== 0 && page !== this.page ? this.#oldest : number
    const first = Math.min(Math.max(begin, this.#oldest), this.next)
    const messages: TopicMessage[] = []
    for (let at = first; at < this.next && messages.length < countMax; at++) {
      messages.push({ number: at, message: this.#messages[at % MESSAGES_MAX]! })
    }
    const isWhole = first === number && (page === 0 || page === this.page)
    return { messages, next: first + messages.length, ...(!isWhole && { gap: { last: number - 1, next: first } }) }
  }
}
