/** Times of the way from a write in one process to its arrival in another, by the clock that all processes of a machine share. */
import { quantile } from '../../statistics.ts'
import type { Way } from './way.ts'

export interface WriteOptions {
  readonly perSecond: number
  readonly seconds: number
  readonly keys: number
  /** Length of a value. */
  readonly bytes: number
}

export interface Latencies {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** A value of `bytes` characters that begins with the time at which it was made. */
export function stamped(bytes: number): string {
  return process.hrtime.bigint().toString().padEnd(bytes, '.')
}

/** How long ago a stamped value was made, in milliseconds. */
export function ageMs(text: string): number {
  return Number(process.hrtime.bigint() - BigInt(text.slice(0, text.indexOf('.')))) / 1e6
}

/** Writes at an even pace, as far as a timer of one millisecond allows. Returns how many values it wrote. */
export async function writeEvenly(way: Way, { perSecond, seconds, keys, bytes }: WriteOptions): Promise<number> {
  const startMs = performance.now()
  const total = Math.round(perSecond * seconds)
  let written = 0
  while (written < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond))
    for (; written < due; written++) way.set(`key-${written % keys}`, stamped(bytes))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return written
}

/** Collects the ages of values as they arrive. */
export class LatencyLog {
  #figures: number[] = []

  listen(way: Way): void {
    this.#figures = []
    way.onValue = (text) => void this.#figures.push(ageMs(text))
  }

  get count(): number {
    return this.#figures.length
  }

  report(): Latencies {
    const figures = this.#figures
    if (figures.length === 0) return { count: 0, p50Ms: NaN, p99Ms: NaN, p999Ms: NaN, maxMs: NaN }
    const [p50Ms, p99Ms, p999Ms, maxMs] = [0.5, 0.99, 0.999, 1].map((share) => quantile(figures, share))
    return { count: figures.length, p50Ms: p50Ms!, p99Ms: p99Ms!, p999Ms: p999Ms!, maxMs: maxMs! }
  }
}
