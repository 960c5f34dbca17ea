/** A stream: entries in the order of their ids, and groups that consume them. */
import type { Arguments } from '../arguments.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import type { Collection, Kind } from '../value.ts'
import { type FieldSink, StreamBlock } from './stream-block.ts'
import { ConsumerGroup, sortedByName } from './stream-group.ts'
import { compareIds, MAX_ID, MIN_ID, type StreamId } from './stream-id.ts'
import { type Trimming, trimmedFrom } from './stream-trim.ts'

/** What an empty one takes. */
const BASE_BYTES = 700
/** What an entry takes in Redis's form beside its words: by this we fill blocks about as Redis does. */
const ENTRY_OVERHEAD = 12

/** An entry where it lies. It says something until the stream changes. */
export interface StreamEntry {
  readonly id: StreamId
  /** How many fields it has. */
  readonly fields: number
  /** Tells fields and values, in turn. */
  tell(sink: FieldSink): void
}

/** Blocks of entries in order; what XADD MAXLEN ~ removes are whole ones. */
export class Stream implements Collection {
  readonly type = 'stream'
  readonly encoding = 'stream'
  /** The last id that was given, also if that entry is gone. */
  lastId: StreamId = MIN_ID
  /** The highest id that was deleted by name, not by trimming. */
  maxDeletedId: StreamId = MIN_ID
  /** Entries that were ever added. */
  entriesAdded = 0
  readonly #limits: EncodingLimits
  readonly #blocks: StreamBlock[] = []
  readonly #groups = new Map<string, ConsumerGroup>()
  #size = 0
  #blockBytes = 0

  constructor(limits: EncodingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  get weight(): number {
    let bytes = BASE_BYTES + this.#blockBytes
    for (const group of this.#groups.values()) bytes += group.weight
    return bytes
  }

  get blocks(): number {
    return this.#blocks.length
  }

  /** The first entry that is there; 0-0, if there is none. */
  get firstId(): StreamId {
    return this.#blocks[0]?.id(0) ?? MIN_ID
  }

  /** The last entry that is there; 0-0, if there is none. */
  get topId(): StreamId {
    const block = this.#blocks.at(-1)
    return block?.id(block.size - 1) ?? MIN_ID
  }

  /** Groups in the order of their names. */
  get groups(): readonly ConsumerGroup[] {
    return sortedByName([...this.#groups.values()])
  }

  get groupCount(): number {
    return this.#groups.size
  }

  group(name: string): ConsumerGroup | undefined {
    return this.#groups.get(name)
  }

  /** Adds a group whose name is not taken. */
  createGroup(name: string, lastId: StreamId, entriesRead: number | undefined): ConsumerGroup {
    const group = new ConsumerGroup(name, lastId, entriesRead)
    this.#groups.set(name, group)
    return group
  }

  /** Removes a group. Returns whether it was there. */
  deleteGroup(name: string): boolean {
    return this.#groups.delete(name)
  }

  /** Adds an entry whose fields and values are the words from `from` to the end. Its id must be behind the last one. */
  add(id: StreamId, args: Arguments, from: number): void {
    let words = 0
    for (let at = from; at < args.count; at++) words += args.length(at)
    let block = this.#blocks.at(-1)
    if (block === undefined || this.#isFull(block, words)) {
      block = new StreamBlock(id)
      this.#blocks.push(block)
    } else this.#blockBytes -= block.weight
    block.add(id, args, from)
    this.#blockBytes += block.weight
    this.#size++
    this.entriesAdded++
    this.lastId = id
  }

  has(id: StreamId): boolean {
    const block = this.#blocks[this.#blockOf(id)]
    if (block === undefined) return false
    const at = block.placeOf(id)
    return at < block.size && compareIds(block.id(at), id) === 0
  }

  /** Removes an entry. Returns whether it was there. */
  delete(id: StreamId): boolean {
    if (!this.has(id)) return false
    const blockAt = this.#blockOf(id)
    const block = this.#blocks[blockAt]!
    this.#blockBytes -= block.weight
    block.delete(block.placeOf(id))
    this.#size--
    if (block.size === 0) this.#blocks.splice(blockAt, 1)
    else this.#blockBytes += block.weight
    if (compareIds(id, this.maxDeletedId) > 0) this.maxDeletedId = id
    return true
  }

  /** Removes entries from the beginning. Returns how many. */
  trim(trimming: Trimming): number {
    const { blocks, entries } = trimmedFrom(this.#blocks, this.#size, trimming)
    const gone = this.#blocks.splice(0, blocks)
    let removed = entries
    for (const block of gone) {
      removed += block.size
      this.#blockBytes -= block.weight
    }
    const first = this.#blocks[0]
    if (entries > 0) {
      this.#blockBytes -= first!.weight
      first!.delete(0, entries)
      if (first!.size === 0) this.#blocks.shift()
      else this.#blockBytes += first!.weight
    }
    this.#size -= removed
    return removed
  }

  /** Up to `count` entries from `start` to `end`, both included; `reversed`, the last ones first. */
  range(start: StreamId, end: StreamId, count: number, reversed = false): StreamEntry[] {
    const found: StreamEntry[] = []
    if (compareIds(start, end) > 0) return found
    const step = reversed ? -1 : 1
    let blockAt = Math.max(0, this.#blockOf(reversed ? end : start))
    for (; blockAt >= 0 && blockAt < this.#blocks.length; blockAt += step) {
      const block = this.#blocks[blockAt]!
      const first = block.placeOf(start)
      const behind = behindPlace(block, end)
      for (let at = reversed ? behind - 1 : first; at >= first && at < behind; at += step) {
        if (found.length >= count) return found
        found.push(entryOf(block, at))
      }
      if (reversed ? first > 0 : behind < block.size) return found
    }
    return found
  }

  /** Whether an entry from `start` on was deleted by name: then nobody knows how many there are. */
  hasGapFrom(start: StreamId): boolean {
    if (this.#size === 0 || compareIds(this.maxDeletedId, MIN_ID) === 0) return false
    if (compareIds(this.firstId, this.maxDeletedId) > 0) return false
    return compareIds(start, this.maxDeletedId) <= 0
  }

  /** How many entries were added up to an id, if that can be told: at the ends, and where nothing was deleted by name. */
  addedUpTo(id: StreamId): number | undefined {
    if (this.entriesAdded === 0) return 0
    const toLast = compareIds(id, this.lastId)
    if (toLast === 0 || (this.#size === 0 && toLast < 0)) return this.entriesAdded
    if (toLast > 0) return undefined
    const isWhole = compareIds(this.maxDeletedId, MIN_ID) === 0 || compareIds(this.maxDeletedId, this.firstId) < 0
    const toFirst = compareIds(id, this.firstId)
    if (!isWhole || toFirst > 0) return undefined
    return this.entriesAdded - this.#size + (toFirst === 0 ? 1 : 0)
  }

  /** How many entries a group has yet to read, if that can be told. */
  lagOf({ lastId, entriesRead }: ConsumerGroup): number | undefined {
    if (this.entriesAdded === 0) return 0
    const known = entriesRead !== undefined && !this.hasGapFrom(lastId)
    const read = known ? entriesRead : this.addedUpTo(lastId)
    return read === undefined ? undefined : this.entriesAdded - read
  }

  /** The same again, with nothing in common. */
  clone(): Stream {
    const twin = new Stream(this.#limits)
    twin.lastId = this.lastId
    twin.maxDeletedId = this.maxDeletedId
    twin.entriesAdded = this.entriesAdded
    twin.#size = this.#size
    twin.#blockBytes = this.#blockBytes
    for (const block of this.#blocks) twin.#blocks.push(block.clone())
    for (const group of this.#groups.values()) twin.#groups.set(group.name, group.clone())
    return twin
  }

  #isFull(block: StreamBlock, more: number): boolean {
    const { streamNodeMaxBytes, streamNodeMaxEntries } = this.#limits
    if (streamNodeMaxEntries > 0 && block.added >= streamNodeMaxEntries) return true
    return streamNodeMaxBytes > 0 && block.usedBytes + block.added * ENTRY_OVERHEAD + more >= streamNodeMaxBytes
  }

  /** The last block that does not begin behind an id; -1, if all do. */
  #blockOf(id: StreamId): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareIds(this.#blocks[middle]!.id(0), id) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

export const STREAM: Kind<Stream> = { type: 'stream', create: (limits) => new Stream(limits) }

function behindPlace(block: StreamBlock, end: StreamId): number {
  if (end === MAX_ID) return block.size
  const at = block.placeOf(end)
  return at < block.size && compareIds(block.id(at), end) === 0 ? at + 1 : at
}

function entryOf(block: StreamBlock, at: number): StreamEntry {
  return { id: block.id(at), fields: block.fieldsOf(at), tell: (sink) => block.tell(at, sink) }
}
