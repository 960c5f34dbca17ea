/**
 * An item in an arena: key and value, one after the other, in a chunk or in a chain of chunks. An item up to a quarter of
 * a page is one chunk. A longer one is as many whole pages as it fills, then quarters, then a last chunk that fits.
 */
import type { ArenaKeyReader } from './arena-key.ts'
import {
  CHUNK,
  KEY_LENGTH_MASK,
  KEY_WORD_MASK,
  REFERENCE,
  SPACE_SHIFT,
  SPACES_MAX,
  TAIL_BYTES,
} from './arena-layout.ts'
import type { ArenaMemory } from './arena-memory.ts'
import { ByteCopier } from './byte-copier.ts'

/** How an item of some length is cut into chunks. Equal plans have equal `code`s. */
export class ArenaPlan {
  pages = 0
  quarters = 0
  /** Class of the last chunk; -1 when there is none. */
  last = -1
  /** Bytes / 16 of all chunks. */
  units = 0
  code = 0
  readonly #memory: ArenaMemory

  constructor(memory: ArenaMemory) {
    this.#memory = memory
  }

  /** Plans an item whose key and value have so many bytes together. */
  make(payload: number): void {
    const { classes, layout } = this.#memory
    const quarter = layout.pageBytes / 4
    let left = payload + layout.headBytes
    this.pages = 0
    this.quarters = 0
    while (left >= layout.pageBytes) {
      const fill = Math.floor(left / layout.pageBytes)
      this.pages += fill
      left -= fill * (layout.pageBytes - TAIL_BYTES)
    }
    if (this.pages > 0 && left <= TAIL_BYTES) left = 0
    while (left > quarter) {
      this.quarters++
      left -= quarter - TAIL_BYTES
    }
    if (this.pages + this.quarters > 0 && left <= TAIL_BYTES) left = 0
    this.last = left === 0 ? -1 : classes.fitting(left)
    this.code = (this.pages * 8 + this.quarters) * 64 + this.last + 1
    this.units = this.pages * (layout.pageBytes / 16) + this.quarters * (quarter / 16)
    if (this.last >= 0) this.units += classes.sizes[this.last]! / 16
  }
}

const INTO = new ByteCopier()
const OUT_OF = new ByteCopier()

/** Copies bytes to a place in memory. */
export function copyInto(memory: ArenaMemory, at: number, source: Uint8Array, from: number, length: number): void {
  INTO.copy(source, from, memory.bytes, at, length)
}

export function keyLengthOf(memory: ArenaMemory, ref: number): number {
  return memory.words[ref * 4 + CHUNK.KEY_LENGTH]! & KEY_LENGTH_MASK
}

export function valueLengthOf(memory: ArenaMemory, ref: number): number {
  return isReference(memory, ref) ? 0 : memory.words[ref * 4 + CHUNK.VALUE_LENGTH]!
}

export function spaceOf(memory: ArenaMemory, ref: number): number {
  return (memory.words[ref * 4 + CHUNK.KEY_LENGTH]! >>> SPACE_SHIFT) & (SPACES_MAX - 1)
}

/** Whether an item has the number of an object in place of a value. */
export function isReference(memory: ArenaMemory, ref: number): boolean {
  return (memory.words[ref * 4 + CHUNK.KEY_LENGTH]! & REFERENCE) !== 0
}

/** Bytes / 16 of the object that an item refers to. */
export function extraUnitsOf(memory: ArenaMemory, ref: number): number {
  return isReference(memory, ref) ? memory.words[ref * 4 + CHUNK.VALUE_LENGTH]! : 0
}

/** Whether an item has this key. */
export function hasKey(memory: ArenaMemory, ref: number, key: ArenaKeyReader): boolean {
  if ((memory.words[ref * 4 + CHUNK.KEY_LENGTH]! & KEY_WORD_MASK) !== key.word) return false
  if (memory.words[ref * 4 + CHUNK.NEXT] !== 0) return hasLongKey(memory, ref, key)
  const { view, bytes } = memory
  const { words, start } = key
  const length = key.end - start
  const at = ref * 16 + memory.headBytes
  const whole = Math.min(length >> 2, words.length)
  for (let word = 0; word < whole; word++) if (view.getInt32(at + word * 4, true) !== words[word]) return false
  for (let place = whole * 4; place < length; place++) if (bytes[at + place] !== key.bytes[start + place]) return false
  return true
}

function hasLongKey(memory: ArenaMemory, head: number, { bytes, start, end }: ArenaKeyReader): boolean {
  let matches = true
  eachPiece(memory, head, 0, end - start, (at, piece, done) => {
    for (let place = 0; place < piece && matches; place++) {
      matches = memory.bytes[at + place] === bytes[start + done + place]
    }
  })
  return matches
}

/** Writes bytes into an item, from `offset` of its payload on. */
export function writeItem(
  memory: ArenaMemory,
  head: number,
  offset: number,
  source: Uint8Array,
  from: number,
  length: number,
): void {
  if (memory.words[head * 4 + CHUNK.NEXT] === 0) {
    copyInto(memory, head * 16 + memory.headBytes + offset, source, from, length)
    return
  }
  eachPiece(memory, head, offset, length, (at, piece, done) => copyInto(memory, at, source, from + done, piece))
}

/** Reads bytes of an item, from `offset` of its payload on. */
export function readItem(
  memory: ArenaMemory,
  head: number,
  offset: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  if (memory.words[head * 4 + CHUNK.NEXT] === 0) {
    OUT_OF.copy(memory.bytes, head * 16 + memory.headBytes + offset, target, to, length)
    return
  }
  eachPiece(memory, head, offset, length, (at, piece, done) => OUT_OF.copy(memory.bytes, at, target, to + done, piece))
}

/** Calls `visit` with each stretch of bytes that a part of an item's payload lies in. */
function eachPiece(
  memory: ArenaMemory,
  head: number,
  offset: number,
  length: number,
  visit: (at: number, piece: number, done: number) => void,
): void {
  let ref = head
  let header = memory.headBytes
  let skip = offset
  for (let done = 0; done < length; ) {
    const room = memory.chunkBytes(ref) - header
    if (skip >= room) {
      skip -= room
    } else {
      const piece = Math.min(room - skip, length - done)
      visit(ref * 16 + header + skip, piece, done)
      done += piece
      skip = 0
    }
    header = TAIL_BYTES
    ref = memory.words[ref * 4 + CHUNK.NEXT]!
  }
}

/** Bytes / 16 of all chunks of an item. */
export function unitsOf(memory: ArenaMemory, head: number): number {
  let units = 0
  for (let ref = head; ref !== 0; ref = memory.words[ref * 4 + CHUNK.NEXT]!) units += memory.chunkBytes(ref) / 16
  return units
}
