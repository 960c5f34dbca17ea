/** The stream did not follow its format. The session ends and a new epoch begins. */
export class PgoutputError extends Error {
  override readonly name = 'PgoutputError'
}

/** A place in a buffer that is read forwards. Reading past the end throws PgoutputError. */
export class Bytes {
  readonly buffer: Buffer
  at: number

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer
    this.at = at
  }

  uint8(): number {
    return this.buffer[this.take(1)]!
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2))
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4))
  }

  uint64(): bigint {
    return this.buffer.readBigUInt64BE(this.take(8))
  }

  /** Text that ends with a zero byte. */
  text(): string {
    const end = this.buffer.indexOf(0, this.at)
    if (end < 0) throw new PgoutputError('text without an end')
    const text = this.buffer.toString('utf8', this.at, end)
    this.at = end + 1
    return text
  }

  skip(count: number): void {
    this.take(count)
  }

  private take(count: number): number {
    const from = this.at
    if (from + count > this.buffer.length)
      throw new PgoutputError(`a message ends early, at byte ${this.buffer.length}`)
    this.at = from + count
    return from
  }
}
