/** Numbers as memcached reads them: with what C's strtol and strtoul allow, and cut to the width of where they are kept. */

const FORM = /^[\t\n\v\f\r ]*([+-]?)(\d+)(?:[\t\n\v\f\r ].*)?$/s
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n
/** So many digits fit into 31 bits. */
const SHORT = 9

/** A signed number, of which the lowest 32 bits count; not a number: it is none. */
export function readInt32(bytes: Buffer, start: number, end: number): number {
  const short = readShort(bytes, start, end)
  if (short >= 0) return short
  const [sign, digits] = parts(bytes, start, end)
  if (digits === undefined) return Number.NaN
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits)
  if (value > INT64_MAX || value < -INT64_MAX - 1n) return Number.NaN
  return Number(BigInt.asIntN(32, value))
}

/** An unsigned number, of which the lowest 32 bits count; not a number: it is none. */
export function readUint32(bytes: Buffer, start: number, end: number): number {
  const short = readShort(bytes, start, end)
  if (short >= 0) return short
  const value = readUint64(bytes, start, end)
  return value === undefined ? Number.NaN : Number(BigInt.asUintN(32, value))
}

/** An unsigned number of 64 bits; `undefined`: it is none. */
export function readUint64(bytes: Buffer, start: number, end: number): bigint | undefined {
  const short = readShort(bytes, start, end)
  if (short >= 0) return BigInt(short)
  const [sign, digits] = parts(bytes, start, end)
  if (digits === undefined) return undefined
  const value = BigInt(digits)
  if (value > UINT64_MAX) return undefined
  const taken = sign === '-' ? BigInt.asUintN(64, -value) : value
  // A negative number comes out as a large one, and is refused then alone.
  return sign === '-' && taken > INT64_MAX ? undefined : taken
}

/** The usual case: few digits and nothing else; -1: it is another one. */
function readShort(bytes: Buffer, start: number, end: number): number {
  if (end - start > SHORT || end === start) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function parts(bytes: Buffer, start: number, end: number): readonly [sign?: string, digits?: string] {
  const match = FORM.exec(bytes.toString('latin1', start, end))
  return match === null ? [] : [match[1]!, match[2]!]
}
