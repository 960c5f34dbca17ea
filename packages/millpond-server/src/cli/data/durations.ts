import { OptionError } from 'millpond'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Whole milliseconds of a length of time such as '5m' or '250ms'. @throws OptionError */
export function millisecondsOf(text: string, option: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = unit === undefined ? Number.NaN : Math.round(Number(number) * UNIT_MS[unit]!)
  if (ms > 0) return ms
  throw new OptionError(option, text, "give a number with a unit, such as '500ms', '5m' or '1h'")
}
