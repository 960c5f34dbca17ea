/** What a suite is: it measures something and hands back rows; the runner prints them and writes the JSON. */

import type { Spread } from './statistics.ts'

/** One figure of a suite. `value` is the ratio or the count as measured. */
export interface Row {
  readonly name: string
  readonly value: number
  /** The unit of `value`, such as `'times'`, `'ns'`, `'loads'`. */
  readonly unit: string
  /** Quarter of the rounds that were lower, and quarter that were higher: left out where nothing was repeated. */
  readonly low?: number
  readonly high?: number
  /** A readable bound such as `'<= 1.25'`. A row without one is information. */
  readonly target?: string
  readonly pass?: boolean
}

/** A bound on a figure: what the reader sees, and the test itself. */
export interface Target {
  readonly text: string
  holds(value: number): boolean
}

export const atMost = (bound: number): Target => ({ text: `<= ${bound}`, holds: (value) => value <= bound })
export const atLeast = (bound: number): Target => ({ text: `>= ${bound}`, holds: (value) => value >= bound })
export const exactly = (bound: number): Target => ({ text: `= ${bound}`, holds: (value) => value === bound })

/** Makes a row of one figure, or of the spread of several rounds. */
export function row(name: string, figure: number | Spread, unit: string, target?: Target): Row {
  const spread = typeof figure === 'number' ? { value: figure } : { ...figure, value: figure.median }
  const { value, low, high } = { low: undefined, high: undefined, ...spread }
  return {
    name,
    value,
    unit,
    ...(low !== undefined && high !== undefined ? { low, high } : {}),
    ...(target ? { target: target.text, pass: target.holds(value) } : {}),
  }
}

/** What the runner gives a suite. */
export interface SuiteContext {
  /** Fewer rounds and smaller sizes: to see that the suite works, not to quote. */
  readonly quick: boolean
  /** `--rounds`, else `normal`, else a quarter of it (at least 3) under `--quick`. */
  rounds(normal: number): number
  /** The suite's own options as given on the command line. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** Words on the command line after the suite's name. */
  readonly words: readonly string[]
  /** Says on stderr what is going on. */
  progress(line: string): void
  /** A line that stands under the table: how something was measured, or why a row is missing. */
  note(line: string): void
}

/** A file `suites/<name>.ts` exports one of these as `suite`. Helpers of a suite live in a folder `suites/<name>/`. */
export interface Suite {
  readonly name: string
  /** One sentence: what it measures. */
  readonly summary: string
  /** Options of its own, shown in the list of suites. */
  readonly options?: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly summary: string }>>
  /** Measures. Throws only when it cannot run; a figure that misses its target is a row, not an error. */
  run(context: SuiteContext): Promise<readonly Row[]>
}
