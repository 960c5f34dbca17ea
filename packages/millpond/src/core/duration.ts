import { amountOf } from './amount.ts'
import { OptionError } from './errors.ts'

/** A length of time: milliseconds, or a number with a unit. `'5m'` compiles, `'5 mins'` does not. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Milliseconds of a `Duration`.
 *
 * @param name the option it came from, for the error message
 * @throws OptionError (`ERR_OPTION`) when it is not a finite number at or above 0, or not a number with a unit
 */
export function durationMs(duration: Duration, name: string): number {
  const ms = typeof duration === 'string' ? amountOf(duration, UNIT_MS) : duration
  if (typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY) return ms
  throw new OptionError(name, duration, `give milliseconds, or a number with a unit such as '500ms', '5m' or '1h'`)
}

/** The same for what has to be more than 0, such as a time that an answer may take. */
export function positiveMs(duration: Duration, name: string): number {
  const ms = durationMs(duration, name)
  if (ms > 0) return ms
  throw new OptionError(name, duration, "give more than 0, such as '50ms'")
}
