import { amountOf } from './amount.ts'
import { OptionError } from './errors.ts'

/** An amount of memory: bytes, or a number with a unit of 1024s, such as `'256mb'`. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const UNIT_BYTES: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/**
 * Bytes of a `Size`, rounded down.
 *
 * @param name the option it came from, for the error message
 * @throws OptionError (`ERR_OPTION`) when it is not a positive number of bytes
 */
export function sizeBytes(size: Size, name: string): number {
  const bytes = typeof size === 'string' ? amountOf(size, UNIT_BYTES) : size
  if (bytes >= 1 && bytes < Number.POSITIVE_INFINITY) return Math.floor(bytes)
  throw new OptionError(name, size, `give a number of bytes above 0, or a number with a unit such as '64mb'`)
}
