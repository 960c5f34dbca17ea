/** Writes streams as Redis 7.0 has them: listpacks of up to 100 entries, then what is known of the stream and its groups. */
import type { Stream, StreamEntry } from '../values/stream.ts'
import type { Consumer, ConsumerGroup } from '../values/stream-group.ts'
import { MAX_ID, MIN_ID, type StreamId } from '../values/stream-id.ts'
import { type ByteSink, writeBytes, writeLength, writeText } from './byte-sink.ts'
import { ListpackWriter } from './listpack-writer.ts'

const ENTRIES_A_NODE = 100
const BYTES_A_NODE = 4096
const SAME_FIELDS = 2
const UNKNOWN = 2n ** 64n - 1n

export function writeStream(sink: ByteSink, stream: Stream): void {
  const nodes = nodesOf(stream)
  writeLength(sink, nodes.length)
  for (const entries of nodes) writeNode(sink, entries)
  writeLength(sink, stream.size)
  writeId(sink, stream.lastId)
  writeId(sink, stream.firstId)
  writeId(sink, stream.maxDeletedId)
  writeLength(sink, stream.entriesAdded)
  const { groups } = stream
  writeLength(sink, groups.length)
  for (const group of groups) writeGroup(sink, group)
}

/** Entries in turn, each as its words. */
function nodesOf(stream: Stream): { id: StreamId; words: Buffer[] }[][] {
  const nodes: { id: StreamId; words: Buffer[] }[][] = []
  let bytes = BYTES_A_NODE
  for (const entry of stream.range(MIN_ID, MAX_ID, Number.POSITIVE_INFINITY)) {
    const words = wordsOf(entry)
    if (bytes >= BYTES_A_NODE || nodes.at(-1)!.length >= ENTRIES_A_NODE) {
      nodes.push([])
      bytes = 0
    }
    nodes.at(-1)!.push({ id: entry.id, words })
    for (const word of words) bytes += word.length
  }
  return nodes
}

function wordsOf(entry: StreamEntry): Buffer[] {
  const words: Buffer[] = []
  entry.tell({ bytes: (bytes, start, end) => words.push(Buffer.from(bytes.subarray(start, end))) })
  return words
}

/** Names are written once for all entries of a node that have the same as its first. */
function writeNode(sink: ByteSink, entries: readonly { id: StreamId; words: Buffer[] }[]): void {
  const { id: first, words } = entries[0]!
  const names = words.filter((_, at) => at % 2 === 0)
  const packed = new ListpackWriter()
  packed.integer(entries.length)
  packed.integer(0)
  packed.integer(names.length)
  for (const name of names) packed.bytes(name, 0, name.length)
  packed.integer(0)
  for (const entry of entries) writeEntry(packed, entry, first, names)
  const key = Buffer.allocUnsafe(16)
  key.writeBigUInt64BE(BigInt(first.ms), 0)
  key.writeBigUInt64BE(BigInt(first.seq), 8)
  writeBytes(sink, key)
  writeBytes(sink, packed.take())
}

function writeEntry(
  packed: ListpackWriter,
  { id, words }: { readonly id: StreamId; readonly words: readonly Buffer[] },
  first: StreamId,
  names: readonly Buffer[],
): void {
  const same = words.length === names.length * 2 && names.every((name, at) => name.equals(words[at * 2]!))
  packed.integer(same ? SAME_FIELDS : 0)
  packed.integer(BigInt(id.ms) - BigInt(first.ms))
  packed.integer(BigInt(id.seq) - BigInt(first.seq))
  const written = same ? words.filter((_, at) => at % 2 === 1) : words
  if (!same) packed.integer(words.length / 2)
  for (const word of written) packed.bytes(word, 0, word.length)
  // How many words the entry has up to here, for who reads backwards.
  packed.integer(written.length + (same ? 3 : 4))
}

function writeGroup(sink: ByteSink, group: ConsumerGroup): void {
  writeText(sink, group.name)
  writeId(sink, group.lastId)
  writeLength(sink, group.entriesRead ?? UNKNOWN)
  writeLength(sink, group.pending.size)
  for (const [id, { atMs, count }] of group.pending.entries()) {
    writeRawId(sink, id)
    sink.int64Low(BigInt(atMs))
    writeLength(sink, count)
  }
  const { consumers } = group
  writeLength(sink, consumers.length)
  for (const consumer of consumers) writeConsumer(sink, consumer)
}

function writeConsumer(sink: ByteSink, { name, seenAtMs, pending }: Consumer): void {
  writeText(sink, name)
  sink.int64Low(BigInt(seenAtMs))
  writeLength(sink, pending.size)
  for (const [id] of pending.entries()) writeRawId(sink, id)
}

function writeId(sink: ByteSink, { ms, seq }: StreamId): void {
  writeLength(sink, ms)
  writeLength(sink, seq)
}

function writeRawId(sink: ByteSink, { ms, seq }: StreamId): void {
  sink.uint64(BigInt(ms))
  sink.uint64(BigInt(seq))
}
