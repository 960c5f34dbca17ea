/** Streams, as RDB files have them: listpacks of entries, then what is known of the stream and its groups. */
import { Arguments } from '../arguments.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import { Stream } from '../values/stream.ts'
import type { ConsumerGroup } from '../values/stream-group.ts'
import { formatId, type IdPart, type StreamId } from '../values/stream-id.ts'
import type { ByteSource } from './byte-source.ts'
import { readListpack } from './packed.ts'
import { RdbError } from './rdb-error.ts'
import { TYPE } from './rdb-types.ts'
import { readBytes, readLength, readNumber, readText } from './strings.ts'

const DELETED = 1
const SAME_FIELDS = 2
/** What stands for a number that is not known. */
const UNKNOWN = 2n ** 64n - 1n

export function readStream(source: ByteSource, type: number, limits: EncodingLimits): Stream {
  const stream = new Stream(limits)
  for (let left = readLength(source); left > 0; left--) {
    const key = readBytes(source)
    if (key.length !== 16) throw new RdbError('a stream is damaged')
    addEntries(stream, readListpack(readBytes(source)), key.readBigUInt64BE(0), key.readBigUInt64BE(8))
  }
  const length = readLength(source)
  if (length !== stream.size) throw new RdbError('a stream has another length than it says')
  stream.lastId = readId(source)
  if (type !== TYPE.STREAM_LISTPACKS) {
    readId(source)
    stream.maxDeletedId = readId(source)
    stream.entriesAdded = Number(readNumber(source))
  }
  for (let left = readLength(source); left > 0; left--) readGroup(source, type, stream)
  return stream
}

/** The entries of one listpack. Its first words are those that all have in common. */
function addEntries(stream: Stream, words: readonly string[], ms: bigint, seq: bigint): void {
  let at = 0
  const word = (): string => {
    const text = words[at++]
    if (text === undefined) throw new RdbError('a stream is damaged')
    return text
  }
  const number = (): number => Number(word())
  const some = (count: number): string[] => Array.from({ length: Math.min(count, words.length) }, word)
  let left = number() + number()
  const common = some(number())
  word()
  for (; left > 0; left--) {
    const flags = number()
    const id = { ms: part(ms + BigInt(word())), seq: part(seq + BigInt(word())) }
    const same = (flags & SAME_FIELDS) !== 0
    const fields = same ? common.flatMap((name) => [name, word()]) : some(number() * 2)
    word()
    if ((flags & DELETED) === 0) stream.add(id, Arguments.of(fields), 0)
  }
}

function readGroup(source: ByteSource, type: number, stream: Stream): void {
  const name = readText(source)
  const lastId = readId(source)
  const old = type === TYPE.STREAM_LISTPACKS
  const read = old ? UNKNOWN : readNumber(source)
  const known = read === UNKNOWN ? undefined : Number(read)
  const group = stream.createGroup(name, lastId, old ? stream.addedUpTo(lastId) : known)
  const deliveries = new Map<string, { atMs: number; count: number }>()
  for (let left = readLength(source); left > 0; left--) {
    const id = formatId(rawId(source))
    const atMs = Number(source.int64Low())
    deliveries.set(id, { atMs, count: readLength(source) })
  }
  for (let left = readLength(source); left > 0; left--) readConsumer(source, type, group, deliveries)
  if (deliveries.size > 0) throw new RdbError('a stream has pending entries of nobody')
}

function readConsumer(
  source: ByteSource,
  type: number,
  group: ConsumerGroup,
  deliveries: Map<string, { readonly atMs: number; readonly count: number }>,
): void {
  const name = readText(source)
  const consumer = group.createConsumer(name, Number(source.int64Low()))
  if (type === TYPE.STREAM_LISTPACKS_3) source.int64Low()
  for (let left = readLength(source); left > 0; left--) {
    const id = rawId(source)
    const delivery = deliveries.get(formatId(id))
    if (!deliveries.delete(formatId(id)) || !delivery) throw new RdbError('a stream has a pending entry twice')
    group.force(id, consumer, delivery.atMs).count = delivery.count
  }
}

function readId(source: ByteSource): StreamId {
  const ms = part(readNumber(source))
  return { ms, seq: part(readNumber(source)) }
}

function rawId(source: ByteSource): StreamId {
  const ms = part(source.uint64())
  return { ms, seq: part(source.uint64()) }
}

/** A bigint only where a double would not be exact. */
function part(value: bigint): IdPart {
  const narrow = BigInt.asUintN(64, value)
  return narrow <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(narrow) : narrow
}
