/** The topics of a cache: channels whose messages are numbered, kept for a while, and read again by who was away. */
import type { Client } from '../client.ts'
import { Topic } from './topic.ts'

/** What all topics together keep, at most. */
const BYTES_MAX = 16 * 2 ** 20
const TOPICS_MAX = 10_000

/**
 * A channel becomes a topic when somebody first uses it as one; from then on what is published on it has numbers, by
 * whatever command and protocol. Where there is too much the messages of the topics go that were longest without one,
 * and topics to which nobody listens with them. A Map keeps them in that order.
 */
export class Topics {
  readonly #topics = new Map<string, Topic>()
  /** Clients that wait for the next message, each of one topic. */
  readonly #readers = new Map<Client, Topic>()
  readonly #waitingFor = new Map<Topic, Set<Client>>()
  readonly #isHeard: (name: string) => boolean
  #bytes = 0
  #lastPage = 0

  /** @param isHeard whether somebody listens to a topic by now */
  constructor(isHeard: (name: string) => boolean) {
    this.#isHeard = isHeard
  }

  get count(): number {
    return this.#topics.size
  }

  /** About what the messages that are kept take. */
  get bytes(): number {
    return this.#bytes
  }

  /** A topic, if the channel is one. */
  named(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  /** A topic; a channel that was none becomes one. */
  open(name: string, nowMs: number): Topic {
    const present = this.#topics.get(name)
    if (present) return present
    this.#lastPage = Math.max(this.#lastPage + 1, Math.floor(nowMs))
    const topic = new Topic(name, this.#lastPage)
    this.#topics.set(name, topic)
    this.#bytes += topic.bytes
    this.#bound()
    return topic
  }

  /** Gives a message its number, if the channel is a topic. Returns it, and who has waited for it. */
  append(name: string, message: string): { topic: Topic; number: number; readers: readonly Client[] } | undefined {
    const topic = this.#topics.get(name)
    if (topic === undefined) return undefined
    this.#topics.delete(name)
    this.#topics.set(name, topic)
    const before = topic.bytes
    const number = topic.append(message)
    this.#bytes += topic.bytes - before
    this.#bound()
    const readers = [...(this.#waitingFor.get(topic) ?? [])]
    for (const reader of readers) this.leave(reader)
    return { topic, number, readers }
  }

  /** A client waits for the next message. */
  wait(client: Client, topic: Topic): void {
    this.leave(client)
    this.#readers.set(client, topic)
    this.#waitingFor.set(topic, (this.#waitingFor.get(topic) ?? new Set()).add(client))
  }

  /** A client waits no more. Returns for which topic it did. */
  leave(client: Client): Topic | undefined {
    const topic = this.#readers.get(client)
    if (topic === undefined) return undefined
    this.#readers.delete(client)
    const clients = this.#waitingFor.get(topic)!
    clients.delete(client)
    if (clients.size === 0) this.#waitingFor.delete(topic)
    return topic
  }

  #bound(): void {
    if (this.#bytes <= BYTES_MAX && this.#topics.size <= TOPICS_MAX) return
    for (const topic of this.#topics.values()) {
      while (this.#bytes > BYTES_MAX && topic.oldest < topic.next) this.#drop(topic)
      const isIdle = topic.oldest === topic.next || this.#topics.size > TOPICS_MAX
      if (isIdle && !this.#waitingFor.has(topic) && !this.#isHeard(topic.name)) this.#forget(topic)
      if (this.#bytes <= BYTES_MAX && this.#topics.size <= TOPICS_MAX) return
    }
  }

  #drop(topic: Topic): void {
    const before = topic.bytes
    topic.drop()
    this.#bytes += topic.bytes - before
  }

  #forget(topic: Topic): void {
    this.#bytes -= topic.bytes
    this.#topics.delete(topic.name)
  }
}
