/** The checksum of RDB files and DUMP payloads: CRC-64 with the polynomial of Jones, reflected, without start or end value. */

// 64 bits as two words of 32; tables by byte.
const LOW = new Int32Array(256)
const HIGH = new Int32Array(256)
const POLYNOMIAL_LOW = 0xac4b_c9b5 | 0
const POLYNOMIAL_HIGH = 0x95ac_9329 | 0

/** One checksum, taken of bytes as they come. */
export class Crc64 {
  #low = 0
  #high = 0

  update(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    let low = this.#low
    let high = this.#high
    for (let at = start; at < end; at++) {
      const row = (low ^ bytes[at]!) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ LOW[row]!
      high = (high >>> 8) ^ HIGH[row]!
    }
    this.#low = low
    this.#high = high
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)
  }
}

/** The checksum of all these bytes. */
export function crc64(bytes: Uint8Array): bigint {
  const crc = new Crc64()
  crc.update(bytes)
  return crc.value
}

for (let row = 0; row < 256; row++) {
  let low = row
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const odd = (low & 1) !== 0
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (!odd) continue
    low ^= POLYNOMIAL_LOW
    high ^= POLYNOMIAL_HIGH
  }
  LOW[row] = low
  HIGH[row] = high
}
