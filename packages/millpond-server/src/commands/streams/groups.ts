/** Consumer groups, as commands find them and as the log is told of them. */
import { ReplyError } from '../../engine/errors.ts'
import type { Span } from '../../engine/span.ts'
import { STREAM, type Stream } from '../../engine/values/stream.ts'
import type { Consumer, ConsumerGroup, Delivery } from '../../engine/values/stream-group.ts'
import { formatId, type StreamId } from '../../engine/values/stream-id.ts'
import type { Client } from '../client.ts'

/** A group with its stream. */
export interface GroupOfStream {
  readonly stream: Stream
  readonly group: ConsumerGroup
}

/** The group of a stream; `undefined`, if there is no such key or no such group. @throws ReplyError WRONGTYPE */
export function findGroup({ db }: Client, key: Span, name: string): GroupOfStream | undefined {
  const stream = db.read(key, STREAM)
  const group = stream?.group(name)
  return stream && group && { stream, group }
}

/** The group of a stream. @throws ReplyError NOGROUP */
export function groupOf(client: Client, key: Span, name: string): GroupOfStream {
  const found = findGroup(client, key, name)
  if (found === undefined) {
    throw new ReplyError(`No such key '${key.text()}' or consumer group '${name}'`, 'NOGROUP')
  }
  return found
}

/** The group of a stream that is there. @throws ReplyError NOGROUP */
export function groupIn(stream: Stream, key: Span, name: string): ConsumerGroup {
  const group = stream.group(name)
  if (group === undefined) {
    throw new ReplyError(`No such consumer group '${name}' for key name '${key.text()}'`, 'NOGROUP')
  }
  return group
}

/** A consumer, who has just been heard of; a new one, if there is none of that name. */
export function consumerOf({ db, service }: Client, key: Span, group: ConsumerGroup, name: string): Consumer {
  const { nowMs } = service.time
  const present = group.consumer(name)
  if (present) {
    present.seenAtMs = nowMs
    return present
  }
  const consumer = group.createConsumer(name, nowMs)
  db.changed(key, 'xgroup-createconsumer', 't')
  return consumer
}

/** The log is told that an entry is pending for a consumer, in a form that can be told again. */
export function logDelivery(client: Client, key: Span, group: ConsumerGroup, id: StreamId, delivery: Delivery): void {
  const { consumer, atMs, count } = delivery
  const owner = ['XCLAIM', key.text(), group.name, consumer.name, '0', formatId(id)]
  const state = ['TIME', String(atMs), 'RETRYCOUNT', String(count), 'FORCE', 'JUSTID', 'LASTID', formatId(group.lastId)]
  client.logAs(...owner, ...state)
}

/** The log is told how far a group has read, and how many entries that were: XCLAIM tells only the first. */
export function logPosition(client: Client, key: Span, group: ConsumerGroup): void {
  const read = String(group.entriesRead ?? -1)
  client.logAs('XGROUP', 'SETID', key.text(), group.name, formatId(group.lastId), 'ENTRIESREAD', read)
}
