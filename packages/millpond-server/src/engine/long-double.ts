/** Numbers with 64 bits of precision, as x86 has them: what INCRBYFLOAT and HINCRBYFLOAT add in. */
import { withoutZeros } from './numbers.ts'

const MANTISSA_BITS = 64
/** The highest power of two below infinity, and the lowest above zero. */
const POWER_MAX = 16_383
const POWER_MIN = -16_445
/** A text longer than this is refused, as Redis does. */
const TEXT_MAX = 5 * 1024
/** No text that is let in has a value beyond 10 to this, or its inverse, that is not out of range. */
const DECIMAL_POWER_MAX = TEXT_MAX * 2
const FRACTION_DIGITS = 17
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS)

/**
 * A mantissa of up to 64 bits times a power of two.
 *
 * Implementation note. Doubles have 53 bits, and their sums would differ from Redis's in digits that it prints. Here a decimal
 * text is taken as a fraction of two whole numbers and rounded once; a sum is exact, then rounded once; the 17 digits
 * after the point are those of the exact value, rounded once: always to the nearest, to the even one in the middle, which is what
 * the processor and the C library do. Numbers below 2 to the power of -16,382 keep more bits than there; no digit that is
 * printed can tell.
 */
export class LongDouble {
  readonly finite: boolean
  readonly #mantissa: bigint
  readonly #power: number

  constructor(mantissa: bigint, power: number, finite = true) {
    this.#mantissa = mantissa
    this.#power = power
    this.finite = finite
  }

  /** Reads decimal, exponential and hexadecimal notation and 'inf'; `undefined`: it is none of those, or out of range. */
  static parse(text: string): LongDouble | undefined {
    if (text.length >= TEXT_MAX) return undefined
    if (/^[+-]?inf(?:inity)?$/i.test(text)) return INFINITE
    const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text)
    if (decimal) return parseDecimal(decimal[1]!, decimal[2]!, decimal[3] ?? '', decimal[4] ?? '0')
    const hex = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i.exec(text)
    return hex ? parseHex(hex[1]!, hex[2]!, hex[3] ?? '', hex[4] ?? '0') : undefined
  }

  plus(other: LongDouble): LongDouble {
    if (!this.finite || !other.finite) return INFINITE
    const power = Math.min(this.#power, other.#power)
    const sum = (this.#mantissa << BigInt(this.#power - power)) + (other.#mantissa << BigInt(other.#power - power))
    return rounded(sum, 1n, power)
  }

  /** Up to 17 digits after the point, without zeros at the end, and never in exponential notation. */
  toString(): string {
    if (!this.finite) return 'inf'
    const negative = this.#mantissa < 0n
    const mantissa = negative ? -this.#mantissa : this.#mantissa
    const digits = withoutZeros(fixed(mantissa, this.#power))
    return negative && digits !== '0' ? `-${digits}` : digits
  }
}

const INFINITE = new LongDouble(0n, 0, false)
const ZERO = new LongDouble(0n, 0)

function parseDecimal(sign: string, whole: string, fraction: string, exponent: string): LongDouble | undefined {
  const digits = whole + fraction
  if (digits === '') return undefined
  const value = BigInt(digits)
  if (value === 0n) return ZERO
  const power = Number(exponent) - fraction.length
  if (Math.abs(power) > DECIMAL_POWER_MAX) return undefined
  const signed = sign === '-' ? -value : value
  const scale = 10n ** BigInt(Math.abs(power))
  return inRange(power < 0 ? rounded(signed, scale, 0) : rounded(signed * scale, 1n, 0))
}

function parseHex(sign: string, whole: string, fraction: string, exponent: string): LongDouble | undefined {
  const digits = whole + fraction
  if (digits === '') return undefined
  const value = BigInt(`0x${digits}`)
  if (value === 0n) return ZERO
  const power = Number(exponent) - fraction.length * 4
  if (Math.abs(power) > TEXT_MAX * 8) return undefined
  return inRange(rounded(sign === '-' ? -value : value, 1n, power))
}

/** What was read must not have become infinite, or zero. */
function inRange(value: LongDouble): LongDouble | undefined {
  return value.finite && value !== ZERO ? value : undefined
}

/** `numerator / denominator * 2 ** power`, to the nearest number that fits. */
function rounded(numerator: bigint, denominator: bigint, power: number): LongDouble {
  if (numerator === 0n) return ZERO
  const size = numerator < 0n ? -numerator : numerator
  // Two bits and the rest tell how to round.
  const shift = MANTISSA_BITS + 2 - (bitsOf(size) - bitsOf(denominator))
  const dividend = shift > 0 ? size << BigInt(shift) : size
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator
  const quotient = dividend / divisor
  const rest = dividend % divisor !== 0n
  const spare = bitsOf(quotient) - MANTISSA_BITS
  const mantissa = roundedShift(quotient, spare, rest)
  const result = power - shift + spare
  const top = result + bitsOf(mantissa) - 1
  if (top > POWER_MAX) return INFINITE
  if (top < POWER_MIN) return ZERO
  return new LongDouble(numerator < 0n ? -mantissa : mantissa, result)
}

/** `value / 2 ** bits` to the nearest whole number, to the even one in the middle; `rest`: `value` is a little more than it says. */
function roundedShift(value: bigint, bits: number, rest: boolean): bigint {
  const kept = value >> BigInt(bits)
  const cut = value - (kept << BigInt(bits))
  const half = 1n << BigInt(bits - 1)
  const up = cut > half || (cut === half && (rest || (kept & 1n) === 1n))
  return up ? kept + 1n : kept
}

function bitsOf(value: bigint): number {
  const digits = value.toString(16)
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28
}

/** `mantissa * 2 ** power` with 17 digits after the point. */
function fixed(mantissa: bigint, power: number): string {
  if (power >= 0) return String(mantissa << BigInt(power))
  const scaled = roundedShift(mantissa * FRACTION_SCALE, -power, false)
  const digits = String(scaled).padStart(FRACTION_DIGITS + 1, '0')
  return `${digits.slice(0, -FRACTION_DIGITS)}.${digits.slice(-FRACTION_DIGITS)}`
}
