/** How numbers are written, to the digit as Redis writes them. */

/** A double in at most 17 digits, which say exactly which double it is: `printf("%.17g")`. */
export function formatDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return Object.is(value, -0) ? '-0' : String(value)
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan'
  const [digits, power] = value.toExponential(16).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 17) return withoutZeros(value.toPrecision(17))
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${withoutZeros(digits)}e${exponent < 0 ? '-' : '+'}${size}`
}

/** Takes the zeros from the end of a fraction, and its point if nothing is left of it. */
export function withoutZeros(digits: string): string {
  if (!digits.includes('.')) return digits
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, digits[end - 1] === '.' ? end - 1 : end)
}
