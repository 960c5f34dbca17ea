import type { Scheduler } from './scheduler.ts'

/** A write that is done: the cache was told, and its promise resolved. */
interface Done {
  readonly key: string
  readonly version: number
  readonly by: number
  /** How many messages the writer had sent by then; Infinity while its store has not been told. */
  sent: number
}

/** A read that began: the version that it must reach. */
export interface Expectation {
  readonly key: string
  readonly least: number
  readonly by: number
}

/**
 * The history checker. A write binds the process that made it as soon as it is done; another process as soon as it has
 * heard the message (or of a gap). Where the writer's store could not be told, others are bound when it was made up for.
 * A read that begins under a binding must not return an older version.
 */
export class Judge {
  readonly #done: Done[] = []
  readonly #heard: (by: number, of: number) => number
  readonly #scheduler: Scheduler
  readonly lines: string[] = []

  /** @param heard how many messages `of` the other process `by` has accounted for */
  constructor(scheduler: Scheduler, heard: (by: number, of: number) => number) {
    this.#scheduler = scheduler
    this.#heard = heard
  }

  done(by: number, key: string, version: number, sent: number): void {
    this.#done.push({ key, version, by, sent })
    this.note(`process ${by} is done with version ${version} of ${key}`)
  }

  /** The writer's store knows everything now. */
  madeUp(by: number, sent: number): void {
    for (const done of this.#done) if (done.by === by && done.sent === Number.POSITIVE_INFINITY) done.sent = sent
    this.note(`process ${by} made up for what its store had missed`)
  }

  /** The store went back to what it was a moment ago: nobody else is bound until the writers have told it again. */
  lost(): void {
    for (const done of this.#done) done.sent = Number.POSITIVE_INFINITY
    this.note('the store lost its last moments')
  }

  expect(by: number, key: string): Expectation {
    let least = 1
    for (const done of this.#done) {
      const binds = done.by === by || this.#heard(by, done.by) >= done.sent
      if (done.key === key && binds) least = Math.max(least, done.version)
    }
    return { key, least, by }
  }

  check({ key, least, by }: Expectation, version: number | undefined, how: string): void {
    this.note(`process ${by} ${how} ${key}: ${version} (at least ${least})`)
    if (version === undefined || version >= least) return
    throw new Error(`stale: ${how} of ${key} in process ${by} returned ${version} after version ${least} was done`)
  }

  note(line: string): void {
    this.lines.push(`${this.#scheduler.tick} ${line}`)
  }
}
