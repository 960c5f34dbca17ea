/** Writes replies as bytes of RESP2 or RESP3 into one buffer, which grows as needed. */
import type { Reply } from '../../engine/reply.ts'

const OK = Buffer.from('+OK\r\n')
/** Below this a loop is faster than a call. */
const LOOP_BYTES = 64

export class ReplyWriter implements Reply {
  protocol: 2 | 3 = 2
  bytesOut: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  length = 0

  /** What was written, and begins anew in other memory: the old one is the taker's. */
  take(): Buffer {
    const taken = this.bytesOut.subarray(0, this.length)
    this.bytesOut = Buffer.allocUnsafeSlow(64 * 1024)
    this.length = 0
    return taken
  }

  ok(): void {
    this.#raw(OK)
  }

  simple(text: string): void {
    this.#line('+', text)
  }

  error(text: string): void {
    this.#line('-', text.replaceAll(/[\r\n]/g, ' '))
  }

  integer(value: number | bigint): void {
    this.#line(':', String(value))
  }

  bulk(text: string): void {
    this.#line('$', String(text.length))
    this.#reserve(text.length + 2)
    this.length += this.bytesOut.write(text, this.length, 'latin1')
    this.#end()
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#line('$', String(length))
    this.#reserve(length + 2)
    if (length > LOOP_BYTES) this.bytesOut.set(bytes.subarray(start, end), this.length)
    else for (let at = 0; at < length; at++) this.bytesOut[this.length + at] = bytes[start + at]!
    this.length += length
    this.#end()
  }

  nil(): void {
    if (this.protocol === 2) this.#line('$', '-1')
    else this.#line('_', '')
  }

  nilArray(): void {
    if (this.protocol === 2) this.#line('*', '-1')
    else this.#line('_', '')
  }

  array(length: number): void {
    this.#line('*', String(length))
  }

  map(pairs: number): void {
    if (this.protocol === 2) this.#line('*', String(pairs * 2))
    else this.#line('%', String(pairs))
  }

  set(length: number): void {
    this.#line(this.protocol === 2 ? '*' : '~', String(length))
  }

  push(length: number): void {
    this.#line(this.protocol === 2 ? '*' : '>', String(length))
  }

  double(value: number): void {
    const text = Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan'
    if (this.protocol === 2) this.bulk(text)
    else this.#line(',', text)
  }

  boolean(value: boolean): void {
    if (this.protocol === 2) this.integer(value ? 1 : 0)
    else this.#line('#', value ? 't' : 'f')
  }

  bigNumber(digits: string): void {
    if (this.protocol === 2) this.bulk(digits)
    else this.#line('(', digits)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text)
      return
    }
    this.#line('=', String(text.length + 4))
    this.#raw(Buffer.from(`${format}:${text}`, 'latin1'))
    this.#end()
  }

  #line(type: string, text: string): void {
    this.#reserve(text.length + 3)
    this.bytesOut[this.length++] = type.charCodeAt(0)
    this.length += this.bytesOut.write(text, this.length, 'latin1')
    this.#end()
  }

  #raw(bytes: Buffer): void {
    this.#reserve(bytes.length)
    this.length += bytes.copy(this.bytesOut, this.length)
  }

  #end(): void {
    this.#reserve(2)
    this.bytesOut[this.length++] = 13
    this.bytesOut[this.length++] = 10
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.bytesOut.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytesOut.length * 2, this.length + bytes))
    this.bytesOut.copy(larger, 0, 0, this.length)
    this.bytesOut = larger
  }
}
