/** A run of stream entries that follow each other: ids in arrays, values as bytes in one buffer. */
import type { Arguments } from '../arguments.ts'
import type { IdPart, StreamId } from './stream-id.ts'

/** Takes fields and values as bytes where they lie. A `Reply` is one. */
export interface FieldSink {
  bytes(bytes: Uint8Array, start: number, end: number): void
}

/** A shorter length is one byte; this one says that four follow. */
const LONG = 0xff
/** What an entry takes beside its values: its id and its places in the arrays. */
const ENTRY_BYTES = 40
/** What a block takes, empty. */
const BLOCK_BYTES = 1100
const FIRST_BYTES = 256

/**
 * Entries are only ever added at the end. One that is deleted leaves its bytes behind, until the whole block goes: blocks are small.
 * Entries of one stream mostly have the same fields: their names are kept once for all that follow each other with the same.
 */
export class StreamBlock {
  /** The last id that was added, deleted or not. */
  lastId: StreamId
  /** Entries that were added, with those that are deleted. */
  added = 0
  readonly #ms: IdPart[] = []
  readonly #seqs: IdPart[] = []
  readonly #names: (readonly Buffer[])[] = []
  readonly #starts: number[] = []
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #used = 0
  #namesBytes = 0

  constructor(firstId: StreamId) {
    this.lastId = firstId
  }

  /** Entries that are there. */
  get size(): number {
    return this.#ms.length
  }

  /** Bytes that names and values take. */
  get usedBytes(): number {
    return this.#used + this.#namesBytes
  }

  /** About how many bytes it takes. */
  get weight(): number {
    return BLOCK_BYTES + this.#bytes.length + this.#namesBytes + this.size * ENTRY_BYTES
  }

  id(at: number): StreamId {
    return { ms: this.#ms[at]!, seq: this.#seqs[at]! }
  }

  /** How many fields an entry has. */
  fieldsOf(at: number): number {
    return this.#names[at]!.length
  }

  /** Adds an entry whose fields and values are the words from `from` to the end. */
  add(id: StreamId, args: Arguments, from: number): void {
    const names = this.#namesAs(args, from)
    this.#names.push(names)
    this.#starts.push(this.#used)
    for (let at = from + 1; at < args.count; at += 2) this.#write(args.bytes, args.start(at), args.end(at))
    this.#ms.push(id.ms)
    this.#seqs.push(id.seq)
    this.lastId = id
    this.added++
  }

  /** Tells the fields and values of an entry, in turn. */
  tell(at: number, sink: FieldSink): void {
    const bytes = this.#bytes
    let place = this.#starts[at]!
    for (const name of this.#names[at]!) {
      sink.bytes(name, 0, name.length)
      let length = bytes[place++]!
      if (length === LONG) {
        length = bytes.readUInt32LE(place)
        place += 4
      }
      sink.bytes(bytes, place, place + length)
      place += length
    }
  }

  /** The first entry whose id is not before this one; `size`, if all are. */
  placeOf({ ms, seq }: StreamId): number {
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = this.#ms[middle]!
      if (found < ms || (found === ms && this.#seqs[middle]! < seq)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Removes entries from `at` on. */
  delete(at: number, count = 1): void {
    this.#ms.splice(at, count)
    this.#seqs.splice(at, count)
    this.#names.splice(at, count)
    this.#starts.splice(at, count)
  }

  /** The same entries, in a block of its own. */
  clone(): StreamBlock {
    const twin = new StreamBlock(this.lastId)
    twin.added = this.added
    twin.#ms.push(...this.#ms)
    twin.#seqs.push(...this.#seqs)
    twin.#names.push(...this.#names)
    twin.#starts.push(...this.#starts)
    twin.#bytes = Buffer.from(this.#bytes)
    twin.#used = this.#used
    twin.#namesBytes = this.#namesBytes
    return twin
  }

  /** Names of fields: those of the last entry, if they are the same. */
  #namesAs(args: Arguments, from: number): readonly Buffer[] {
    const last = this.#names.at(-1)
    const count = (args.count - from) / 2
    if (last?.length === count && last.every((name, at) => isWord(name, args, from + at * 2))) return last
    const names = Array.from({ length: count }, (_, at) => args.span(from + at * 2).copy())
    for (const name of names) this.#namesBytes += name.length
    return names
  }

  #write(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(length + 5)
    if (length < LONG) this.#bytes[this.#used++] = length
    else {
      this.#bytes[this.#used++] = LONG
      this.#used = this.#bytes.writeUInt32LE(length, this.#used)
    }
    this.#bytes.set(bytes.subarray(start, end), this.#used)
    this.#used += length
  }

  #reserve(more: number): void {
    const needed = this.#used + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#bytes = larger
  }
}

function isWord(name: Buffer, args: Arguments, at: number): boolean {
  const start = args.start(at)
  if (args.length(at) !== name.length) return false
  for (let place = 0; place < name.length; place++) if (name[place] !== args.bytes[start + place]) return false
  return true
}
