/** Small collections, which Redis keeps in one string: ziplist, listpack, zipmap, intset. Read as lists of byte strings. */
import { RdbError } from './rdb-error.ts'

const END = 0xff

/** Reads within a string that was written by somebody else: nothing is believed. */
class Reader {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  get ended(): boolean {
    return this.#bytes[this.#reach(0, 1)] === END
  }

  /** Where `count` bytes lie that are passed. */
  pass(count: number): number {
    const place = this.#reach(0, count)
    this.at += count
    return place
  }

  byte(): number {
    return this.#bytes[this.pass(1)]!
  }

  text(count: number): string {
    const place = this.pass(count)
    return this.#bytes.toString('latin1', place, place + count)
  }

  /** A whole number of so many bytes, the lowest first. */
  integer(count: 1 | 2 | 3 | 4 | 8): string {
    const place = this.pass(count)
    return String(count === 8 ? this.#bytes.readBigInt64LE(place) : this.#bytes.readIntLE(place, count))
  }

  low(count: number): number {
    return this.#bytes.readUIntLE(this.pass(count), count)
  }

  high(count: number): number {
    return this.#bytes.readUIntBE(this.pass(count), count)
  }

  #reach(from: number, count: number): number {
    const place = this.at + from
    if (count < 0 || place + count > this.#bytes.length) throw new RdbError('a packed collection is damaged')
    return place
  }
}

export function readZiplist(bytes: Buffer): string[] {
  const reader = new Reader(bytes, 10)
  const texts: string[] = []
  while (!reader.ended) {
    if (reader.byte() === 0xfe) reader.pass(4)
    texts.push(ziplistEntry(reader))
  }
  return texts
}

function ziplistEntry(reader: Reader): string {
  const first = reader.byte()
  if (first < 0x40) return reader.text(first)
  if (first < 0x80) return reader.text(((first & 0x3f) << 8) | reader.byte())
  if (first < 0xc0) return reader.text(reader.high(4))
  if (first === 0xc0) return reader.integer(2)
  if (first === 0xd0) return reader.integer(4)
  if (first === 0xe0) return reader.integer(8)
  if (first === 0xf0) return reader.integer(3)
  if (first === 0xfe) return reader.integer(1)
  if (first > 0xf0 && first < 0xfe) return String((first & 0x0f) - 1)
  throw new RdbError('a ziplist is damaged')
}

export function readListpack(bytes: Buffer): string[] {
  const reader = new Reader(bytes, 6)
  const texts: string[] = []
  while (!reader.ended) {
    const start = reader.at
    texts.push(listpackEntry(reader))
    reader.pass(backLength(reader.at - start))
  }
  return texts
}

function listpackEntry(reader: Reader): string {
  const first = reader.byte()
  if (first < 0x80) return String(first)
  if (first < 0xc0) return reader.text(first & 0x3f)
  if (first < 0xe0) return String(((((first & 0x1f) << 8) | reader.byte()) << 19) >> 19)
  if (first < 0xf0) return reader.text(((first & 0x0f) << 8) | reader.byte())
  if (first === 0xf0) return reader.text(reader.low(4))
  if (first === 0xf1) return reader.integer(2)
  if (first === 0xf2) return reader.integer(3)
  if (first === 0xf3) return reader.integer(4)
  if (first === 0xf4) return reader.integer(8)
  throw new RdbError('a listpack is damaged')
}

/** Bytes behind an entry of a listpack that tell its length to those who read backwards. */
export function backLength(length: number): number {
  if (length <= 127) return 1
  if (length < 16_383) return 2
  if (length < 2_097_151) return 3
  return length < 268_435_455 ? 4 : 5
}

export function readZipmap(bytes: Buffer): string[] {
  const reader = new Reader(bytes, 1)
  const texts: string[] = []
  const length = (): number => {
    const first = reader.byte()
    return first < 254 ? first : reader.low(4)
  }
  while (!reader.ended) {
    texts.push(reader.text(length()))
    const valueLength = length()
    const free = reader.byte()
    texts.push(reader.text(valueLength))
    reader.pass(free)
  }
  return texts
}

export function readIntset(bytes: Buffer): string[] {
  const reader = new Reader(bytes, 0)
  const size = reader.low(4)
  const count = reader.low(4)
  if (size !== 2 && size !== 4 && size !== 8) throw new RdbError('an intset is damaged')
  return Array.from({ length: Math.min(count, bytes.length) }, () => reader.integer(size))
}
