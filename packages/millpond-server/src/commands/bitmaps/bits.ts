/** Bits among bytes: counted, found, read as numbers. Bit 0 is the highest of the first byte. */

/** The bits of a string: which of them a command is about, `first` to `last` inclusive; none where `first` is above. */
export interface BitRange {
  readonly first: number
  readonly last: number
}

/** How many bits are set in a range. */
export function countBits(bytes: Uint8Array, start: number, { first, last }: BitRange): number {
  if (first > last) return 0
  const from = start + Math.floor(first / 8)
  const to = start + Math.floor(last / 8)
  const head = bytes[from]! & (0xff >> (first & 7))
  const tailMask = 0xff << (7 - (last & 7))
  if (from === to) return popcount(head & tailMask)
  return popcount(head) + countWhole(bytes, from + 1, to) + popcount(bytes[to]! & tailMask)
}

/** The first bit of a range that is `wanted`; -1: there is none. */
export function findBit(bytes: Uint8Array, start: number, { first, last }: BitRange, wanted: 0 | 1): number {
  const flip = wanted === 1 ? 0 : 0xff
  for (let bit = first; bit <= last; bit += 8 - (bit & 7)) {
    const byte = (bytes[start + Math.floor(bit / 8)]! ^ flip) & (0xff >> (bit & 7))
    if (byte === 0) continue
    const found = bit - (bit & 7) + Math.clz32(byte) - 24
    return found <= last ? found : -1
  }
  return -1
}

/** A number of up to 64 bits that begins at some bit. Bits behind the end are 0. */
export function readBits(bytes: Uint8Array, start: number, end: number, bit: number, count: number): bigint {
  const from = Math.floor(bit / 8)
  const to = Math.floor((bit + count - 1) / 8)
  let value = 0n
  for (let at = from; at <= to; at++) {
    value = (value << 8n) | BigInt(start + at < end ? bytes[start + at]! : 0)
  }
  return BigInt.asUintN(count, value >> BigInt((to + 1) * 8 - bit - count))
}

/** Writes the lowest bits of a number from some bit on. They must lie inside. */
export function writeBits(bytes: Uint8Array, bit: number, count: number, value: bigint): void {
  let left = BigInt.asUintN(count, value)
  for (let at = bit + count - 1; at >= bit; at--) {
    const place = Math.floor(at / 8)
    const mask = 0x80 >> (at & 7)
    bytes[place] = (left & 1n) === 1n ? bytes[place]! | mask : bytes[place]! & ~mask
    left >>= 1n
  }
}

/** Four bytes at a time. */
function countWhole(bytes: Uint8Array, from: number, to: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  let count = 0
  let at = from
  for (; at + 4 <= to; at += 4) count += popcount(view.getInt32(at))
  for (; at < to; at++) count += popcount(bytes[at]!)
  return count
}

/** Pairs, nibbles, bytes: sums of ever wider neighbours. */
function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
