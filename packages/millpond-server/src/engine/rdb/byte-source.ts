/** Bytes that are read one after the other: of a payload in memory, or of a file, piece by piece. */
import { readSync } from 'node:fs'
import { Crc64 } from './crc64.ts'
import { RdbError } from './rdb-error.ts'

const PIECE_BYTES = 256 * 1024

export class ByteSource {
  protected bytes: Buffer
  /** The next byte, in `bytes`; those behind `end` are not there yet. */
  protected at = 0
  protected end: number
  /** What has left `bytes`. */
  #passed = 0
  #crc: Crc64 | undefined
  #summed = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.end = bytes.length
  }

  /** How many bytes were read. */
  get offset(): number {
    return this.#passed + this.at
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.at === this.end && !this.refill(1)
  }

  /** So many bytes, which say something until the next call. @throws RdbError when there are fewer */
  take(count: number): Buffer {
    const at = this.#need(count)
    return this.bytes.subarray(at, at + count)
  }

  byte(): number {
    return this.bytes[this.#need(1)]!
  }

  /** The next byte, which stays the next one. */
  peek(): number {
    const byte = this.byte()
    this.at--
    return byte
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.#need(4))
  }

  uint64(): bigint {
    return this.bytes.readBigUInt64BE(this.#need(8))
  }

  int64Low(): bigint {
    return this.bytes.readBigInt64LE(this.#need(8))
  }

  uint64Low(): bigint {
    return this.bytes.readBigUInt64LE(this.#need(8))
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#need(8))
  }

  /** Begins to take the checksum of all that was read and will be. Call it before anything is read. */
  sum(): void {
    this.#crc = new Crc64()
    this.#summed = 0
  }

  /** The checksum of what was read up to here. */
  get checksum(): bigint {
    this.#sumUp()
    return this.#crc!.value
  }

  #sumUp(): void {
    this.#crc?.update(this.bytes, this.#summed, this.at)
    this.#summed = this.at
  }

  #need(count: number): number {
    if (this.end - this.at < count && !this.refill(count)) {
      throw new RdbError(`the data ends too soon`)
    }
    const { at } = this
    this.at += count
    return at
  }

  /** Gets more bytes, so that `count` lie from `at` on. */
  protected refill(_count: number): boolean {
    return false
  }

  /** What was read goes, so that there is room for more. */
  protected forget(): void {
    this.#sumUp()
    this.bytes.copyWithin(0, this.at, this.end)
    this.#passed += this.at
    this.end -= this.at
    this.at = this.#summed = 0
  }
}

/** The bytes of an open file. */
export class FileSource extends ByteSource {
  readonly #file: number
  #position: number
  readonly #size: number

  constructor(file: number, from: number, size: number) {
    super(Buffer.allocUnsafeSlow(PIECE_BYTES))
    this.end = 0
    this.#file = file
    this.#position = from
    this.#size = size
  }

  protected override refill(count: number): boolean {
    if (count > this.#size) return false
    this.forget()
    if (count > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(count + PIECE_BYTES)
      this.bytes.copy(larger, 0, 0, this.end)
      this.bytes = larger
    }
    while (this.end < count) {
      const read = readSync(this.#file, this.bytes, this.end, this.bytes.length - this.end, this.#position)
      if (read === 0) return false
      this.end += read
      this.#position += read
    }
    return true
  }
}
