/** Writes answers of memcached, in text and in binary. */
import { ByteWriter } from '../byte-writer.ts'

const VALUE = Buffer.from('VALUE ')
const SPACE = 32
const CR = 13
const LF = 10
/** Room for what stands around a key: numbers of 10, 10 and 20 digits, and a word. */
const AROUND_KEY = 64
const SHORT_TEXT = 24
const RESPONSE = 0x81
const HEAD_BYTES = 24

export class MemcachedWriter extends ByteWriter {
  /** `VALUE <key> <flags> <bytes>[ <cas>]` and the bytes. `cas`: negative for none. */
  value(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    clientFlags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    cas: number,
  ): void {
    this.reserve(AROUND_KEY + keyEnd - keyStart)
    const { buffer } = this
    let { at } = this
    for (let place = 0; place < 6; place++) buffer[at++] = VALUE[place]!
    for (let place = keyStart; place < keyEnd; place++) buffer[at++] = key[place]!
    buffer[at++] = SPACE
    this.at = at
    this.digits(clientFlags)
    this.buffer[this.at++] = SPACE
    this.digits(end - start)
    if (cas >= 0) {
      this.buffer[this.at++] = SPACE
      this.digits(cas)
    }
    this.lineEnd()
    this.block(bytes, start, end)
  }

  /** Bytes with a line break behind them. */
  block(bytes: Uint8Array, start: number, end: number): void {
    this.copy(bytes, start, end, 2)
    this.lineEnd()
  }

  /** A byte string, without a line break. */
  text(text: string): void {
    const { length } = text
    this.reserve(length)
    if (length > SHORT_TEXT) this.at += this.buffer.write(text, this.at, 'latin1')
    else for (let at = 0; at < length; at++) this.buffer[this.at++] = text.charCodeAt(at)
  }

  /** A byte string that is a line. */
  line(text: string): void {
    this.text(text)
    this.reserve(2)
    this.lineEnd()
  }

  /** A whole number from 0 on that a double holds exactly. */
  number(value: number): void {
    this.reserve(20)
    this.digits(value)
  }

  /** Copies bytes, without a line break. */
  part(bytes: Uint8Array, start: number, end: number): void {
    this.copy(bytes, start, end, 0)
  }

  /** The head of a binary answer; its body follows. `opaque`: four bytes of the request that are sent back. */
  head(opcode: number, status: number, extras: number, key: number, body: number, cas: number, opaque: Buffer): void {
    this.reserve(HEAD_BYTES)
    const { buffer, at } = this
    buffer[at] = RESPONSE
    buffer[at + 1] = opcode
    buffer[at + 2] = key >> 8
    buffer[at + 3] = key
    buffer[at + 4] = extras
    buffer[at + 5] = 0
    buffer[at + 6] = status >> 8
    buffer[at + 7] = status
    this.at = at + 8
    this.uint32(body)
    for (let place = 0; place < 4; place++) buffer[this.at++] = opaque[place]!
    this.uint64(cas)
  }

  /** Four bytes, the highest first. */
  uint32(value: number): void {
    this.reserve(4)
    const { buffer } = this
    buffer[this.at++] = value >>> 24
    buffer[this.at++] = value >>> 16
    buffer[this.at++] = value >>> 8
    buffer[this.at++] = value
  }

  /** Eight bytes of a whole number that a double holds exactly. */
  uint64(value: number): void {
    this.uint32(value < 2 ** 32 ? 0 : Math.floor(value / 2 ** 32))
    this.uint32(value % 2 ** 32)
  }

  /** Ends a line. There must be room. */
  protected lineEnd(): void {
    this.buffer[this.at++] = CR
    this.buffer[this.at++] = LF
  }
}
