/** Numbers as C's `printf` writes them with `%.<digits>g`: Lua's own form has 14 digits, and cjson's as many as it is told. */
import { withoutZeros } from '../../../engine/numbers.ts'

export function formatG(value: number, digits: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : value < 0 ? '-inf' : Number.isNaN(value) ? 'nan' : '0'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < digits) return withoutZeros(value.toFixed(digits - 1 - exponent))
  return `${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
