/** Giving pending entries to another consumer: what XCLAIM and XAUTOCLAIM do. */
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import type { StreamEntry } from '../../engine/values/stream.ts'
import type { Consumer } from '../../engine/values/stream-group.ts'
import { formatId, type StreamId } from '../../engine/values/stream-id.ts'
import type { Client } from '../client.ts'
import { consumerOf, type GroupOfStream, logDelivery } from './groups.ts'
import { replyEntry } from './replies.ts'

/** By whom, and on what terms. */
export interface Claim extends GroupOfStream {
  readonly client: Client
  readonly key: Span
  /** Name of the consumer who claims. */
  readonly consumer: string
  /** Only what was delivered so long ago, in milliseconds. */
  readonly idleMs: number
  /** When it is said to have been delivered. */
  readonly atMs: number
  /** How often; `undefined`: once more, unless only ids are told. */
  readonly count: number | undefined
  /** Also what is not pending. */
  readonly force: boolean
  readonly justIds: boolean
}

/** Claims one entry after the other. The consumer comes to be with the first. */
export class Claiming {
  /** What was claimed. */
  readonly entries: StreamEntry[] = []
  /** What was pending, and is no longer in the stream. */
  readonly gone: StreamId[] = []
  readonly terms: Claim
  #consumer: Consumer | undefined

  constructor(terms: Claim) {
    this.terms = terms
  }

  /** Whether the log was told how far the group has read, with what was claimed. */
  get hasLogged(): boolean {
    return this.entries.length + this.gone.length > 0
  }

  /** Claims an entry, if it may be claimed. */
  claim(id: StreamId): void {
    const { client, key, stream, group, idleMs, atMs, count, force, justIds } = this.terms
    const [entry] = stream.range(id, id, 1)
    let delivery = group.pending.get(id)
    if (entry === undefined) {
      if (delivery === undefined) return
      logDelivery(client, key, group, id, delivery)
      group.acknowledge(id)
      client.db.noted(key)
      this.gone.push(id)
      return
    }
    const { nowMs } = client.service.time
    if (delivery === undefined ? !force : idleMs > 0 && nowMs - delivery.atMs < idleMs) return
    this.#consumer ??= consumerOf(client, key, group, this.terms.consumer)
    delivery ??= group.force(id, this.#consumer, nowMs)
    group.assign(id, delivery, this.#consumer)
    delivery.atMs = atMs
    if (count !== undefined) delivery.count = count
    else if (!justIds) delivery.count++
    logDelivery(client, key, group, id, delivery)
    client.db.noted(key)
    this.entries.push(entry)
  }
}

/** Answers with what was claimed. */
export function replyClaimed(reply: Reply, { entries, terms }: Claiming): void {
  reply.array(entries.length)
  for (const entry of entries) {
    if (terms.justIds) reply.bulk(formatId(entry.id))
    else replyEntry(reply, entry)
  }
}
