/** Topics of a service: channels whose messages are numbered and kept for a while, so that who was away goes on where it stopped. */
import { OptionError, ServiceError } from '../../core/errors.ts'
import type { Link } from './link.ts'
import { fieldsOf, textOf } from './replies.ts'
import type { ServiceReply } from './reply-reader.ts'

/** A place in a topic. Numbers say something on one page only: a server that started again begins a new one. */
export interface TopicPosition {
  readonly page: number
  /** Of the message that is wanted next. */
  readonly number: number
}

/** A message of a topic. */
export interface TopicMessage {
  readonly text: string
  readonly page: number
  readonly number: number
}

/** Messages that were published and can not be had any more. */
export interface TopicGap {
  /** The last number before them, and the first one after them, which is of `page`. */
  readonly last: number
  readonly next: number
  readonly page: number
}

/** Who listens to a topic. What is thrown here reaches nobody. */
export interface TopicListener {
  /** A message, in the order of their numbers. */
  message(message: TopicMessage): void
  /** Messages are missing: they were too many or too old to be kept, or the server started again. */
  gap?(gap: TopicGap): void
  /** Listening was refused, by a token that no longer may, say. It is tried again with the next connection. */
  refused?(error: ServiceError): void
}

/** Listening to a topic, until it is closed. */
export interface TopicSubscription {
  /** Resolves when nothing that is published from now on is missed. @throws ServiceError */
  readonly ready: Promise<void>
  /** Where it goes on: keep it, and a later process misses nothing. `undefined` before the first answer. */
  readonly position: TopicPosition | undefined
  /** Listens no more. */
  close(): Promise<void>
}

/** One topic of a cache. */
export interface ServiceTopic {
  readonly name: string
  /** Publishes a text. Returns its place, and how many heard it. @throws ServiceError */
  publish(text: string): Promise<{ readonly page: number; readonly number: number; readonly receivers: number }>
  /**
   * Listens, from now or from a position on, and goes on there when the connection was lost.
   *
   * @throws OptionError where this service listens to the topic already, and a position is given
   */
  subscribe(listener: TopicListener, from?: TopicPosition): TopicSubscription
  /** What was published from a position on, as far as it is kept. Default: the oldest message that is. @throws ServiceError */
  read(from?: TopicPosition): Promise<TopicNews>
}

/** What was published from a position on. */
export interface TopicNews {
  readonly messages: readonly TopicMessage[]
  /** Where to go on. */
  readonly next: TopicPosition
  readonly gap?: TopicGap
}

/** The topics that one link listens to. All who listen to a topic share one subscription at the server. */
export class Topics {
  readonly #link: Link
  readonly #heard = new Map<string, HeardTopic>()
  #isListening = false

  constructor(link: Link) {
    this.#link = link
  }

  topic(name: string): ServiceTopic {
    const link = this.#link
    return {
      name,
      async publish(text) {
        const { page, number, receivers } = fieldsOf(await link.send(['TOPIC', 'PUBLISH', name, text], TOPIC))
        return { page: Number(page), number: Number(number), receivers: Number(receivers) }
      },
      subscribe: (listener, from) => this.#subscribe(name, listener, from),
      async read(from = { page: 0, number: 1 }) {
        return newsOf(await link.send(['TOPIC', 'READ', name, 'FROM', from.page, from.number], TOPIC))
      },
    }
  }

  #subscribe(name: string, listener: TopicListener, from: TopicPosition | undefined): TopicSubscription {
    const present = this.#heard.get(name)
    if (present !== undefined && from !== undefined) {
      const advice =
        'this service listens to the topic already, at one position for all; connect another for another one'
      throw new OptionError('from', from, advice)
    }
    const heard = present ?? new HeardTopic(this.#link, name, from)
    heard.listeners.add(listener)
    if (present === undefined) {
      this.#heard.set(name, heard)
      this.#listen()
      heard.begin()
    }
    return {
      ready: heard.ready,
      get position() {
        return heard.position
      },
      close: async () => {
        if (!heard.listeners.delete(listener) || heard.listeners.size > 0) return
        this.#heard.delete(name)
        await heard.end()
      },
    }
  }

  #listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    this.#link.listen({
      up: () => {
        for (const heard of this.#heard.values()) heard.resume()
      },
      push: (parts) => this.#heard.get(textOf(parts[1]))?.take(parts),
    })
  }
}

/** A topic that is listened to: where it stands, and who hears it. */
class HeardTopic {
  readonly listeners: Set<TopicListener> = new Set()
  readonly ready: Promise<void>
  position: TopicPosition | undefined
  readonly #link: Link
  readonly #name: string
  readonly #release: () => void
  #settle!: { readonly resolve: () => void; readonly reject: (error: unknown) => void }

  constructor(link: Link, name: string, from: TopicPosition | undefined) {
    this.#link = link
    this.#name = name
    this.position = from
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.ready.catch(() => {})
    this.#release = link.hold()
  }

  /** Asks for the first time. Where there is no connection yet, `resume` does so when there is one. */
  begin(): void {
    if (this.#link.isUp) this.resume()
    else this.#link.ready().catch((error) => this.#refused(error))
  }

  /** Asks for what was missed, and for what comes. */
  resume(): void {
    const { page, number } = this.position ?? { page: 0, number: 0 }
    const words = ['TOPIC', 'SUBSCRIBE', this.#name, ...(this.position === undefined ? [] : ['RESUME', page, number])]
    this.#link.send(words, TOPIC).then(
      (reply) => {
        const fields = fieldsOf(reply)
        this.position ??= { page: Number(fields.page), number: Number(fields.next) }
        this.#settle.resolve()
      },
      (error: unknown) => this.#refused(error),
    )
  }

  /** A push of the server that names this topic. */
  take(parts: readonly ServiceReply[]): void {
    const [kind, , page, ...rest] = parts
    if (kind === 'topic') this.#message({ page: Number(page), number: Number(rest[0]), text: textOf(rest[1]) })
    else if (kind === 'topic-gap') {
      const gap = { page: Number(page), last: Number(rest[0]), next: Number(rest[1]) }
      this.position = { page: gap.page, number: gap.next }
      for (const listener of this.listeners) listener.gap?.(gap)
    }
  }

  async end(): Promise<void> {
    this.#release()
    if (this.#link.isUp) await this.#link.send(['TOPIC', 'UNSUBSCRIBE', this.#name], { onlyNow: true }).catch(() => {})
  }

  #message(message: TopicMessage): void {
    this.position = { page: message.page, number: message.number + 1 }
    for (const listener of this.listeners) listener.message(message)
  }

  #refused(error: unknown): void {
    this.#settle.reject(error)
    // What ended with its connection is asked for again with the next one.
    if (!(error instanceof ServiceError) || error.reason === 'connection' || error.reason === 'timeout') return
    for (const listener of this.listeners) listener.refused?.(error)
  }
}

const TOPIC = { needs: 'topic' } as const

function newsOf(reply: ServiceReply): TopicNews {
  const fields = fieldsOf(reply)
  const page = Number(fields.page)
  const messages = (fields.messages as [number, string][]).map(([number, text]) => ({ page, number, text }))
  const next = { page, number: Number(fields.next) }
  const gap = fields.gap as [number, number] | null
  return { messages, next, ...(gap !== null && { gap: { page, last: gap[0], next: gap[1] } }) }
}
