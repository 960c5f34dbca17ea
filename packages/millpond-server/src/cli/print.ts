/** What commands write: plain text for people, JSON for programs. */

/** Ends the program with this code once nothing is left to do. */
export type Exit = (code: number) => void

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** Says something beside what was asked for. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Bytes as a person reads them: `1.5 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (value < 1024) return `${unit === 'B' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`
    value /= 1024
  }
  return `${value.toFixed(1)} TB`
}

/** A number with what is counted: '1 key', '2,000 keys'. */
export function countText(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}

/** How much of its room something takes. A bound of 0 is none of its own. */
export function usedText(bytes: number, bytesMax: number): string {
  return bytesMax > 0 ? `${bytesText(bytes)} of ${bytesText(bytesMax)}` : bytesText(bytes)
}

/** A length of time as a person reads it: `4 min 59 s`. */
export function durationText(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'for ever'
  if (ms < 1000) return `${Math.round(ms)} ms`
  let seconds = Math.round(ms / 1000)
  const parts: string[] = []
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(seconds / size)
    seconds -= count * size
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`)
  }
  return parts.join(' ')
}
