/** How long ago something was, in words: '3 h'. */

const UNITS = [
  { name: 'd', ms: 86_400_000, from: 2 },
  { name: 'h', ms: 3_600_000, from: 2 },
  { name: 'min', ms: 60_000, from: 2 },
] as const

export function ageText(ms: number): string {
  for (const { name, ms: unit, from } of UNITS) if (ms >= from * unit) return `${Math.floor(ms / unit)} ${name}`
  return `${Math.max(1, Math.round(ms / 1000))} s`
}
