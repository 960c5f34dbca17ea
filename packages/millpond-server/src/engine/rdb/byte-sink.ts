/** Bytes that are written one after the other, into memory that grows: whoever writes a file takes them away by and by. */
import { Crc64 } from './crc64.ts'

const FIRST_BYTES = 4096

export class ByteSink {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0
  readonly #crc: Crc64 | undefined

  /** @param summed whether the checksum of all that is taken away is kept */
  constructor(summed = false) {
    this.#crc = summed ? new Crc64() : undefined
  }

  /** Bytes that were not taken away. */
  get length(): number {
    return this.#length
  }

  /** What was written since the last time, in memory of its own. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.#length))
    this.#length = 0
    this.#crc?.update(taken)
    return taken
  }

  /** The checksum of all that was taken. */
  get checksum(): bigint {
    return this.#crc!.value
  }

  byte(value: number): void {
    const at = this.#room(1)
    this.#bytes[at] = value
  }

  bytes(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const at = this.#room(end - start)
    this.#bytes.set(bytes.subarray(start, end), at)
  }

  /** The bytes of a byte string. */
  text(text: string): void {
    const at = this.#room(text.length)
    this.#bytes.write(text, at, 'latin1')
  }

  uint16Low(value: number): void {
    const at = this.#room(2)
    this.#bytes.writeUInt16LE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#bytes.writeUInt32BE(value, at)
  }

  uint32Low(value: number): void {
    const at = this.#room(4)
    this.#bytes.writeUInt32LE(value, at)
  }

  uint64(value: bigint): void {
    const at = this.#room(8)
    this.#bytes.writeBigUInt64BE(value, at)
  }

  int64Low(value: bigint): void {
    const at = this.#room(8)
    this.#bytes.writeBigInt64LE(value, at)
  }

  uint64Low(value: bigint): void {
    const at = this.#room(8)
    this.#bytes.writeBigUInt64LE(value, at)
  }

  double(value: number): void {
    const at = this.#room(8)
    this.#bytes.writeDoubleLE(value, at)
  }

  #room(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length <= this.#bytes.length) return at
    const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, at)
    this.#bytes = larger
    return at
  }
}

/** A count, in as few bytes as it needs. */
export function writeLength(sink: ByteSink, value: number | bigint): void {
  if (value < 0x40) sink.byte(Number(value))
  else if (value < 0x4000) {
    sink.byte(0x40 | (Number(value) >> 8))
    sink.byte(Number(value) & 0xff)
  } else if (value <= 0xffff_ffff) {
    sink.byte(0x80)
    sink.uint32(Number(value))
  } else {
    sink.byte(0x81)
    sink.uint64(BigInt(value))
  }
}

/** A string: its length and its bytes. */
export function writeText(sink: ByteSink, text: string): void {
  writeLength(sink, text.length)
  sink.text(text)
}

/** A string from bytes. */
export function writeBytes(sink: ByteSink, bytes: Uint8Array): void {
  writeLength(sink, bytes.length)
  sink.bytes(bytes)
}
