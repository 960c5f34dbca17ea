/** Writes a listpack: strings and whole numbers in one string. */
import { ByteSink } from './byte-sink.ts'
import { backLength } from './packed.ts'

const HEAD_BYTES = 6
const COUNT_UNKNOWN = 0xffff

export class ListpackWriter {
  readonly #sink = new ByteSink()
  #count = 0

  /** Bytes so far. */
  get length(): number {
    return this.#sink.length
  }

  integer(value: number | bigint): void {
    const sink = this.#sink
    if (value >= 0 && value < 0x80) {
      sink.byte(Number(value))
      this.#close(1)
    } else {
      sink.byte(0xf4)
      sink.int64Low(BigInt.asIntN(64, BigInt(value)))
      this.#close(9)
    }
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    const sink = this.#sink
    const length = end - start
    let head = 1
    if (length < 0x40) sink.byte(0x80 | length)
    else if (length < 0x1000) {
      sink.byte(0xe0 | (length >> 8))
      sink.byte(length & 0xff)
      head = 2
    } else {
      sink.byte(0xf0)
      sink.uint32Low(length)
      head = 5
    }
    sink.bytes(bytes, start, end)
    this.#close(head + length)
  }

  /** All of it, with head and end. */
  take(): Buffer {
    this.#sink.byte(0xff)
    const body = this.#sink.take()
    const whole = Buffer.allocUnsafe(HEAD_BYTES + body.length)
    whole.writeUInt32LE(whole.length, 0)
    whole.writeUInt16LE(Math.min(this.#count, COUNT_UNKNOWN), 4)
    body.copy(whole, HEAD_BYTES)
    return whole
  }

  /** The length of the entry behind it, for who reads backwards: seven bits a byte, the highest first. */
  #close(length: number): void {
    this.#count++
    const count = backLength(length)
    for (let place = count - 1; place >= 0; place--) {
      const bits = Math.floor(length / 2 ** (place * 7)) & 0x7f
      this.#sink.byte(place === count - 1 ? bits : bits | 0x80)
    }
  }
}
