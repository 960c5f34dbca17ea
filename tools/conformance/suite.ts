/** What a conformance suite is: tests that others wrote, run against a server that is started for them. */

/** A server under test: ours, or the original that the suite was written for. */
export type Contender = 'millpond' | 'redis'

/** What came of a suite, by the names of its tests. */
export interface Outcome {
  readonly passed: readonly string[]
  readonly failed: readonly Failure[]
  /** What was not run, and why. */
  readonly notRun: readonly string[]
}

export interface Failure {
  readonly name: string
  /** What the suite said, shortened. */
  readonly why: string
}

/** What the command line asked for. */
export interface Request {
  readonly contender: Contender
  /** Only these parts of the suite; empty: all. */
  readonly units: readonly string[]
  /** A folder with the suite's sources, where they cannot be had from a package. */
  readonly from: string | undefined
  say(line: string): void
}

export interface Suite {
  readonly name: string
  readonly summary: string
  /** Its parts, where it can be run in parts. */
  readonly units?: readonly string[]
  run(request: Request): Promise<Outcome>
}

/** Thrown where a suite cannot be had on this machine: that is no failure of ours, and is told by name. */
export class NotHere extends Error {}

export function merge(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.flatMap(({ passed }) => passed),
    failed: outcomes.flatMap(({ failed }) => failed),
    notRun: outcomes.flatMap(({ notRun }) => notRun),
  }
}
