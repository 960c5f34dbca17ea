import { type Codec, jsonCodec } from '../core/codec.ts'
import type { JournalRecord } from '../core/journal.ts'
import type { Change } from './write-queue.ts'

/** A change as a journal keeps it: the id and, unless it is removed, the value in the form of the source's codec. */
export function encodeChange<I, V>({ id, value, removed }: Change<I, V>, codec: Codec): string {
  return jsonCodec.encode(removed ? [id] : [id, codec.encode(value)])
}

/** The change that a journal's record keeps. Throws what the codec throws. */
export function decodeChange<I, V>(record: JournalRecord, codec: Codec): Change<I, V> {
  const [id, text] = jsonCodec.decode(record.value) as [I, string?]
  const removed = text === undefined
  return { id, removed, value: removed ? undefined : (codec.decode(text) as V) }
}
