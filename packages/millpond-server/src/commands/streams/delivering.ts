/** Handing entries to a consumer of a group: what XREADGROUP does. */
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import type { StreamEntry } from '../../engine/values/stream.ts'
import { compareIds, idAfter, type StreamId } from '../../engine/values/stream-id.ts'
import type { Client } from '../client.ts'
import { consumerOf, type GroupOfStream, logDelivery, logPosition } from './groups.ts'
import type { ReadOptions } from './reading.ts'
import { replyEntries, replyEntry, replyGone } from './replies.ts'

/** To whom, of what. */
export interface Delivering extends GroupOfStream {
  readonly client: Client
  readonly key: Span
  readonly options: ReadOptions
}

/** Entries that nobody of the group has read become pending for the consumer, unless it needs not acknowledge them. */
export function deliverNew(delivering: Delivering, entries: readonly StreamEntry[], reply: Reply): () => void {
  const { client, key, group, options } = delivering
  const { acknowledges } = options
  const { nowMs } = client.service.time
  const consumer = namedConsumer(delivering)
  for (const { id } of entries) {
    readUpTo(delivering, id)
    if (!acknowledges) logDelivery(client, key, group, id, group.deliver(id, consumer, nowMs))
  }
  logPosition(client, key, group)
  client.db.noted(key)
  return () => replyEntries(reply, entries)
}

/** What is pending for the consumer behind an id, delivered once more. */
export function deliverHistory(delivering: Delivering, behind: StreamId, reply: Reply): () => void {
  const { client, key, stream, options } = delivering
  const { nowMs } = client.service.time
  const consumer = namedConsumer(delivering)
  const told: (() => void)[] = []
  const start = idAfter(behind)
  for (const [id, delivery] of start ? consumer.pending.entries(start) : []) {
    if (told.length >= options.count) break
    const [entry] = stream.range(id, id, 1)
    if (entry === undefined) {
      told.push(() => replyGone(reply, id))
      continue
    }
    delivery.atMs = nowMs
    delivery.count++
    told.push(() => replyEntry(reply, entry))
  }
  client.db.noted(key)
  return () => {
    reply.array(told.length)
    for (const tell of told) tell()
  }
}

function namedConsumer({ client, key, group, options }: Delivering): ReturnType<typeof consumerOf> {
  const { consumer: name, acknowledges } = options
  const isNew = group.consumer(name!) === undefined
  const consumer = consumerOf(client, key, group, name!)
  if (isNew && acknowledges) client.logAs('XGROUP', 'CREATECONSUMER', key.text(), group.name, name!)
  return consumer
}

/** The group has read so far. How many entries that were is known only where none was deleted by name. */
function readUpTo({ stream, group }: Delivering, id: StreamId): void {
  if (compareIds(id, group.lastId) <= 0) return
  if (group.entriesRead !== undefined && !stream.hasGapFrom(id)) group.entriesRead++
  else if (stream.entriesAdded > 0) group.entriesRead = stream.addedUpTo(id)
  group.lastId = id
}
