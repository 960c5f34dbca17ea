/** Writes replies as bytes of RESP2 or RESP3. */
import { formatDouble } from '../../engine/numbers.ts'
import type { Reply } from '../../engine/reply.ts'
import { ByteWriter } from '../byte-writer.ts'

const OK = Buffer.from('+OK\r\n')
const NIL_2 = Buffer.from('$-1\r\n')
const NIL_ARRAY_2 = Buffer.from('*-1\r\n')
const NIL_3 = Buffer.from('_\r\n')

export class ReplyWriter extends ByteWriter implements Reply {
  protocol: 2 | 3 = 2

  ok(): void {
    this.raw(OK)
  }

  simple(text: string): void {
    this.#text(43, text)
  }

  error(text: string): void {
    this.#text(45, /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text)
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 2 ** 31) this.#head(58, value)
    else this.#text(58, String(value))
  }

  bulk(text: string): void {
    const { length } = text
    this.#head(36, length)
    this.reserve(length + 2)
    if (length < 24) for (let at = 0; at < length; at++) this.buffer[this.at++] = text.charCodeAt(at)
    else this.at += this.buffer.write(text, this.at, 'latin1')
    this.#end()
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#head(36, end - start)
    this.copy(bytes, start, end, 2)
    this.#end()
  }

  nil(): void {
    this.raw(this.protocol === 2 ? NIL_2 : NIL_3)
  }

  nilArray(): void {
    this.raw(this.protocol === 2 ? NIL_ARRAY_2 : NIL_3)
  }

  array(length: number): void {
    this.#head(42, length)
  }

  map(pairs: number): void {
    if (this.protocol === 2) this.#head(42, pairs * 2)
    else this.#head(37, pairs)
  }

  set(length: number): void {
    this.#head(this.protocol === 2 ? 42 : 126, length)
  }

  push(length: number): void {
    this.#head(this.protocol === 2 ? 42 : 62, length)
  }

  double(value: number, text: string = formatDouble(value)): void {
    if (this.protocol === 2) this.bulk(text)
    else this.#text(44, text)
  }

  boolean(value: boolean): void {
    if (this.protocol === 2) this.#head(58, value ? 1 : 0)
    else this.#text(35, value ? 't' : 'f')
  }

  bigNumber(digits: string): void {
    if (this.protocol === 2) this.bulk(digits)
    else this.#text(40, digits)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text)
      return
    }
    this.#head(61, text.length + 4)
    this.raw(Buffer.from(`${format}:${text}`, 'latin1'))
    this.reserve(2)
    this.#end()
  }

  /** A type's byte and a number below 2^53. */
  #head(type: number, value: number): void {
    this.reserve(20)
    this.buffer[this.at++] = type
    this.digits(value)
    this.#end()
  }

  #text(type: number, text: string): void {
    this.reserve(text.length + 3)
    this.buffer[this.at++] = type
    this.at += this.buffer.write(text, this.at, 'latin1')
    this.#end()
  }

  #end(): void {
    this.buffer[this.at++] = 13
    this.buffer[this.at++] = 10
  }
}
