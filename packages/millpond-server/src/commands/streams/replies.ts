/** How entries of streams are told. */
import type { Reply } from '../../engine/reply.ts'
import type { StreamEntry } from '../../engine/values/stream.ts'
import { formatId, type StreamId } from '../../engine/values/stream-id.ts'

/** An entry: its id, then fields and values. */
export function replyEntry(reply: Reply, entry: StreamEntry): void {
  reply.array(2)
  reply.bulk(formatId(entry.id))
  reply.array(entry.fields * 2)
  entry.tell(reply)
}

export function replyEntries(reply: Reply, entries: readonly StreamEntry[]): void {
  reply.array(entries.length)
  for (const entry of entries) replyEntry(reply, entry)
}

/** An entry of somebody's history that is there no more. */
export function replyGone(reply: Reply, id: StreamId): void {
  reply.array(2)
  reply.bulk(formatId(id))
  reply.nilArray()
}
