/** Whole numbers as digits among bytes: read and written where they lie, without making text. */

const ZERO = 0x30
const MINUS = 0x2d
/** Numbers of so many digits fit into a double exactly. */
const DIGITS_MAX = 15

/** The number whose digits lie from `start` to `end`; not a number: they are none, too many, or not as they would be written. */
export function readInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS
  let at = negative ? start + 1 : start
  const count = end - at
  if (count < 1 || count > DIGITS_MAX) return Number.NaN
  if (bytes[at] === ZERO) return count === 1 && !negative ? 0 : Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return negative ? -value : value
}

/** Writes a whole number that a double holds exactly so that it ends where `bytes` end. Returns where it begins. */
export function writeInteger(value: number, bytes: Uint8Array): number {
  let at = bytes.length
  let left = value < 0 ? -value : value
  do {
    const rest = Math.floor(left / 10)
    bytes[--at] = ZERO + (left - rest * 10)
    left = rest
  } while (left > 0)
  if (value < 0) bytes[--at] = MINUS
  return at
}
