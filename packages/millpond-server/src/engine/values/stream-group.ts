/** A consumer group of a stream: who reads, what was delivered to whom, and what is not yet acknowledged. */
import type { StreamId } from './stream-id.ts'
import { StreamIndex } from './stream-index.ts'

/** What a group takes, empty; a consumer; an entry that is pending, in the list of the group and that of the consumer. */
const GROUP_BYTES = 400
const CONSUMER_BYTES = 300
const PENDING_BYTES = 160

/** One who reads for a group. */
export interface Consumer {
  readonly name: string
  /** When it was last heard of, in milliseconds of the wall clock. */
  seenAtMs: number
  readonly pending: StreamIndex<Delivery>
}

/** An entry that was delivered and is not acknowledged. */
export interface Delivery {
  consumer: Consumer
  /** When it was last delivered, in milliseconds of the wall clock. */
  atMs: number
  /** How often it was. */
  count: number
}

export class ConsumerGroup {
  readonly name: string
  /** The last entry that was delivered. */
  lastId: StreamId
  /** How many entries were added to the stream up to that one, as far as it is known. */
  entriesRead: number | undefined
  readonly pending: StreamIndex<Delivery> = new StreamIndex()
  readonly #consumers = new Map<string, Consumer>()

  constructor(name: string, lastId: StreamId, entriesRead: number | undefined) {
    this.name = name
    this.lastId = lastId
    this.entriesRead = entriesRead
  }

  get weight(): number {
    return GROUP_BYTES + this.#consumers.size * CONSUMER_BYTES + this.pending.size * PENDING_BYTES
  }

  /** Consumers in the order of their names. */
  get consumers(): readonly Consumer[] {
    return sortedByName([...this.#consumers.values()])
  }

  consumer(name: string): Consumer | undefined {
    return this.#consumers.get(name)
  }

  /** A consumer that is not there yet. */
  createConsumer(name: string, nowMs: number): Consumer {
    const consumer = { name, seenAtMs: nowMs, pending: new StreamIndex<Delivery>() }
    this.#consumers.set(name, consumer)
    return consumer
  }

  /** Removes a consumer, with what is pending for it. */
  deleteConsumer(consumer: Consumer): void {
    for (const [id] of consumer.pending.entries()) this.pending.delete(id)
    this.#consumers.delete(consumer.name)
  }

  /** An entry goes to a consumer, as if for the first time, even if another has it. */
  deliver(id: StreamId, consumer: Consumer, nowMs: number): Delivery {
    const delivery = this.pending.get(id)
    if (delivery === undefined) return this.#add(id, { consumer, atMs: nowMs, count: 1 })
    this.assign(id, delivery, consumer)
    delivery.atMs = nowMs
    delivery.count = 1
    return delivery
  }

  /** Makes an entry pending that was not delivered, for one who claims it. */
  force(id: StreamId, consumer: Consumer, nowMs: number): Delivery {
    return this.#add(id, { consumer, atMs: nowMs, count: 1 })
  }

  /** What is pending goes to another consumer. */
  assign(id: StreamId, delivery: Delivery, consumer: Consumer): void {
    if (delivery.consumer === consumer) return
    delivery.consumer.pending.delete(id)
    delivery.consumer = consumer
    consumer.pending.set(id, delivery)
  }

  /** An entry is done with. Returns whether it was pending. */
  acknowledge(id: StreamId): boolean {
    const delivery = this.pending.get(id)
    if (delivery === undefined) return false
    this.pending.delete(id)
    return delivery.consumer.pending.delete(id)
  }

  /** The same again, with nothing in common. */
  clone(): ConsumerGroup {
    const twin = new ConsumerGroup(this.name, this.lastId, this.entriesRead)
    for (const { name, seenAtMs, pending } of this.#consumers.values()) {
      const consumer = twin.createConsumer(name, seenAtMs)
      for (const [id, { atMs, count }] of pending.entries()) twin.#add(id, { consumer, atMs, count })
    }
    return twin
  }

  #add(id: StreamId, delivery: Delivery): Delivery {
    this.pending.set(id, delivery)
    delivery.consumer.pending.set(id, delivery)
    return delivery
  }
}

/** Groups and consumers are told in the order of their names. */
export function sortedByName<Named extends { readonly name: string }>(named: readonly Named[]): Named[] {
  return named.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}
