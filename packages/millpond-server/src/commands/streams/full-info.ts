/** What XINFO tells of groups. */
import type { Reply } from '../../engine/reply.ts'
import type { Stream } from '../../engine/values/stream.ts'
import type { Consumer, ConsumerGroup, Delivery } from '../../engine/values/stream-group.ts'
import { formatId, type StreamId } from '../../engine/values/stream-id.ts'

/** How far a group has read: two pairs of a map. */
export function replyProgress(reply: Reply, stream: Stream, group: ConsumerGroup): void {
  reply.bulk('entries-read')
  replyNumber(reply, group.entriesRead)
  reply.bulk('lag')
  replyNumber(reply, stream.lagOf(group))
}

/** A group with its consumers, and up to `count` entries that are pending for each. */
export function replyGroup(reply: Reply, stream: Stream, group: ConsumerGroup, count: number): void {
  reply.map(7)
  reply.bulk('name')
  reply.bulk(group.name)
  reply.bulk('last-delivered-id')
  reply.bulk(formatId(group.lastId))
  replyProgress(reply, stream, group)
  reply.bulk('pel-count')
  reply.integer(group.pending.size)
  reply.bulk('pending')
  const pending = firstOf(group.pending.entries(), count)
  reply.array(pending.length)
  for (const [id, delivery] of pending) {
    reply.array(4)
    reply.bulk(formatId(id))
    reply.bulk(delivery.consumer.name)
    replyTimes(reply, delivery)
  }
  reply.bulk('consumers')
  const { consumers } = group
  reply.array(consumers.length)
  for (const consumer of consumers) replyConsumer(reply, consumer, count)
}

function replyConsumer(reply: Reply, consumer: Consumer, count: number): void {
  reply.map(4)
  reply.bulk('name')
  reply.bulk(consumer.name)
  reply.bulk('seen-time')
  reply.integer(consumer.seenAtMs)
  reply.bulk('pel-count')
  reply.integer(consumer.pending.size)
  reply.bulk('pending')
  const pending = firstOf(consumer.pending.entries(), count)
  reply.array(pending.length)
  for (const [id, delivery] of pending) {
    reply.array(3)
    reply.bulk(formatId(id))
    replyTimes(reply, delivery)
  }
}

function replyTimes(reply: Reply, { atMs, count }: Delivery): void {
  reply.integer(atMs)
  reply.integer(count)
}

function replyNumber(reply: Reply, value: number | undefined): void {
  if (value === undefined) reply.nil()
  else reply.integer(value)
}

function firstOf(entries: Iterable<readonly [StreamId, Delivery]>, count: number): (readonly [StreamId, Delivery])[] {
  const first: (readonly [StreamId, Delivery])[] = []
  for (const entry of entries) {
    if (first.length >= count) break
    first.push(entry)
  }
  return first
}
