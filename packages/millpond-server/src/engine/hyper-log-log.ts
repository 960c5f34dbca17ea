/**
 * HyperLogLog: how many different elements were seen, in 12 KiB, with an error of 0.81 %. A string in the layout of Redis
 * ("HYLL"), so that both servers read each other's: 16 bytes, of which the last 8 are the count where it is known, then
 * 16,384 registers, as runs as long as that is short (sparse), then of 6 bits each (dense).
 *
 * Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (AofA 2007); the estimate is that of Ertl, "New cardinality estimation
 * algorithms for HyperLogLog sketches" (2017). The hash is MurmurHash64A by Austin Appleby, with Redis's seed.
 */
import { ReplyError } from './errors.ts'

const REGISTERS = 16_384
const INDEX_BITS = 14
const HEAD_BYTES = 16
const DENSE_BYTES: number = HEAD_BYTES + (REGISTERS * 6) / 8
const MAGIC = 'HYLL'
const DENSE = 0
const SPARSE = 1
/** In the last byte of the count: it is not known. */
const UNKNOWN = 0x80
/** The longest runs of zeros, in one byte and in two, and of another value; and the highest value of a run. */
const ZEROS_MAX = 64
const MORE_ZEROS_MAX = 16_384
const VALUES_MAX = 4
const RUN_VALUE_MAX = 32
/** Bits that a register counts. */
const RANK_MAX = 50
/** The limit of alpha times registers, for Ertl's estimate. */
const ALPHA = 0.7213475204444817
const MULTIPLIER = 0xc6a4a7935bd1e995n
const SEED = 0xadc83b19n
const MASK_64 = 2n ** 64n - 1n
const INVALID = 'Corrupted HLL object detected'

/** The registers of a HyperLogLog, one byte each while it is worked with. */
export class HyperLogLog {
  readonly registers: Uint8Array = new Uint8Array(REGISTERS)
  /** What `count` would say, if that is known since the last change. */
  known: number | undefined
  /** Whether its registers have 6 bits each. It never goes back to runs. */
  isDense = false

  /** Reads a string. @throws ReplyError when it is none */
  static from(bytes: Uint8Array): HyperLogLog {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const encoding = buffer[4]
    const known = buffer.length >= HEAD_BYTES && buffer.toString('latin1', 0, 4) === MAGIC
    if (
      !known ||
      (encoding !== DENSE && encoding !== SPARSE) ||
      (encoding === DENSE && buffer.length !== DENSE_BYTES)
    ) {
      throw new ReplyError('Key is not a valid HyperLogLog string value.', 'WRONGTYPE')
    }
    const sketch = new HyperLogLog()
    if (encoding === DENSE) sketch.#readDense(buffer)
    else sketch.#readSparse(buffer)
    sketch.isDense = encoding === DENSE
    if ((buffer[15]! & UNKNOWN) === 0) sketch.known = Number(buffer.readBigUInt64LE(8))
    return sketch
  }

  /** Notes an element. Returns whether that changed anything. */
  add(element: Uint8Array): boolean {
    const hash = murmur64(element)
    const index = Number(hash & BigInt(REGISTERS - 1))
    // The bit above those that are left ends the run, if no other does.
    let rest = (hash >> BigInt(INDEX_BITS)) | (1n << 50n)
    let rank = 1
    for (; (rest & 1n) === 0n; rest >>= 1n) rank++
    if (this.registers[index]! >= rank) return false
    this.registers[index] = rank
    this.known = undefined
    return true
  }

  /** Takes in all that another one has noted. */
  merge(other: HyperLogLog): void {
    this.known = undefined
    for (let at = 0; at < REGISTERS; at++) {
      if (other.registers[at]! > this.registers[at]!) this.registers[at] = other.registers[at]!
    }
  }

  /** About how many different elements were noted. */
  count(): number {
    const histogram = new Array<number>(64).fill(0)
    for (const rank of this.registers) histogram[rank]!++
    let sum = REGISTERS * tau((REGISTERS - histogram[RANK_MAX + 1]!) / REGISTERS)
    for (let rank = RANK_MAX; rank >= 1; rank--) sum = (sum + histogram[rank]!) * 0.5
    sum += REGISTERS * sigma(histogram[0]! / REGISTERS)
    return Math.round((ALPHA * REGISTERS * REGISTERS) / sum)
  }

  /** As a string: as runs if that takes no more than `sparseBytesMax`. */
  toBytes(sparseBytesMax: number): Buffer {
    const runs = this.isDense ? undefined : this.#runs(sparseBytesMax - HEAD_BYTES)
    const bytes = Buffer.alloc(runs === undefined ? DENSE_BYTES : HEAD_BYTES + runs.length)
    bytes.write(MAGIC, 0, 'latin1')
    bytes[4] = runs === undefined ? DENSE : SPARSE
    if (this.known === undefined) bytes[15] = UNKNOWN
    else bytes.writeBigUInt64LE(BigInt(this.known), 8)
    if (runs === undefined) this.#writeDense(bytes)
    else bytes.set(runs, HEAD_BYTES)
    return bytes
  }

  /** The registers as runs; `undefined`: that is longer, or one has too high a value. */
  #runs(bytesMax: number): number[] | undefined {
    const { registers } = this
    const runs: number[] = []
    for (let at = 0; at < REGISTERS; ) {
      const value = registers[at]!
      const most = value === 0 ? MORE_ZEROS_MAX : VALUES_MAX
      let length = 1
      while (length < most && at + length < REGISTERS && registers[at + length] === value) length++
      if (value > RUN_VALUE_MAX) return undefined
      if (value !== 0) runs.push(0x80 | ((value - 1) << 2) | (length - 1))
      else if (length <= ZEROS_MAX) runs.push(length - 1)
      else runs.push(0x40 | ((length - 1) >> 8), (length - 1) & 0xff)
      if (runs.length > bytesMax) return undefined
      at += length
    }
    return runs
  }

  #writeDense(bytes: Buffer): void {
    for (let at = 0; at < REGISTERS; at++) {
      const bit = at * 6
      const place = HEAD_BYTES + (bit >> 3)
      const shifted = this.registers[at]! << (bit & 7)
      bytes[place]! |= shifted & 0xff
      if (shifted > 0xff) bytes[place + 1]! |= shifted >> 8
    }
  }

  #readDense(bytes: Buffer): void {
    for (let at = 0; at < REGISTERS; at++) {
      const bit = at * 6
      const place = HEAD_BYTES + (bit >> 3)
      this.registers[at] = ((bytes[place]! | ((bytes[place + 1] ?? 0) << 8)) >> (bit & 7)) & 0x3f
    }
  }

  /** Runs: 00llllll of zeros, 01llllll llllllll of more, 1vvvvvll of a value. */
  #readSparse(bytes: Buffer): void {
    let at = 0
    for (let place = HEAD_BYTES; place < bytes.length; place++) {
      const code = bytes[place]!
      if ((code & 0x80) !== 0) {
        const length = (code & 0x3) + 1
        this.registers.fill(((code >> 2) & 0x1f) + 1, at, at + length)
        at += length
      } else if ((code & 0x40) === 0) at += (code & 0x3f) + 1
      else at += (((code & 0x3f) << 8) | (bytes[++place] ?? 0)) + 1
      if (at > REGISTERS) throw new ReplyError(INVALID, 'INVALIDOBJ')
    }
    if (at !== REGISTERS) throw new ReplyError(INVALID, 'INVALIDOBJ')
  }
}

/** The part of the estimate that registers at their end have. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let value = x
  let y = 1
  let z = 1 - x
  for (let before = -1; before !== z; ) {
    value = Math.sqrt(value)
    before = z
    y *= 0.5
    z -= (1 - value) ** 2 * y
  }
  return z / 3
}

/** The part of the estimate that empty registers have. */
function sigma(x: number): number {
  if (x === 1) return Infinity
  let value = x
  let y = 1
  let z = x
  for (let before = -1; before !== z; ) {
    value *= value
    before = z
    z += value * y
    y += y
  }
  return z
}

function murmur64(bytes: Uint8Array): bigint {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let hash = SEED ^ ((BigInt(bytes.length) * MULTIPLIER) & MASK_64)
  const whole = bytes.length & ~7
  for (let at = 0; at < whole; at += 8) {
    let word = (view.readBigUInt64LE(at) * MULTIPLIER) & MASK_64
    word ^= word >> 47n
    word = (word * MULTIPLIER) & MASK_64
    hash = ((hash ^ word) * MULTIPLIER) & MASK_64
  }
  if (whole < bytes.length) {
    let word = 0n
    for (let at = bytes.length - 1; at >= whole; at--) word = (word << 8n) | BigInt(view[at]!)
    hash = ((hash ^ word) * MULTIPLIER) & MASK_64
  }
  hash ^= hash >> 47n
  hash = (hash * MULTIPLIER) & MASK_64
  return hash ^ (hash >> 47n)
}
