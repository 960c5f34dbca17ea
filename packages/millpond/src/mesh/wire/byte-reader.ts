import { ValueError } from '../../core/errors.ts'

/**
 * Reads what a `ByteWriter` wrote, from bytes that anybody may have made: it throws `ValueError` rather than read beyond their
 * end. The object may be used again by `reset`.
 */
export class ByteReader {
  bytes: Buffer = EMPTY
  at = 0
  end = 0

  /** Reads `bytes` from their beginning. */
  reset(bytes: Buffer): this {
    this.bytes = bytes
    this.at = 0
    this.end = bytes.length
    return this
  }

  get rest(): number {
    return this.end - this.at
  }

  /** Passes over `count` bytes, and returns where they begin. */
  skip(count: number): number {
    const { at } = this
    if (count > this.end - at) throw cutShort()
    this.at = at + count
    return at
  }

  byte(): number {
    if (this.at >= this.end) throw cutShort()
    return this.bytes[this.at++]!
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    let unit = 128
    for (let count = 1; count < 8; count++) {
      const byte = this.byte()
      value += (byte & 0x7f) * unit
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      unit *= 128
    }
    throw new ValueError(undefined, 'a number in its bytes is too long')
  }

  /** A count of things that take at least one byte each: more than there are bytes is a lie, and nothing is set aside for it. */
  count(): number {
    const count = this.varint()
    if (count > this.rest) throw cutShort()
    return count
  }

  double(): number {
    return this.bytes.readDoubleLE(this.skip(8))
  }

  /** `count` bytes, in place. */
  raw(count: number): Buffer {
    const at = this.skip(count)
    return this.bytes.subarray(at, at + count)
  }

  latin1(count: number): string {
    const at = this.skip(count)
    return this.bytes.toString('latin1', at, at + count)
  }

  utf8(count: number): string {
    const at = this.skip(count)
    return this.bytes.toString('utf8', at, at + count)
  }
}

const EMPTY = Buffer.alloc(0)

function cutShort(): ValueError {
  return new ValueError(undefined, 'its bytes are cut short')
}
