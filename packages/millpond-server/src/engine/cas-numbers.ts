/** Numbers that never come twice, and grow: by them memcached's clients know whether an item has changed (cas). */

/** So many a millisecond may be given without a later start beginning below: 2^53 is reached in the year 2248. */
const A_MILLISECOND = 1024

/**
 * They begin with the time, so that a number given before a restart is not given again. Threads that share items take turns.
 */
export class CasNumbers {
  #next: number
  readonly #step: number

  /** @param thread from 0 to below `threads` */
  constructor(nowMs: number, thread = 0, threads = 1) {
    this.#next = nowMs * A_MILLISECOND + thread
    this.#step = threads
  }

  /** A number that was not given before. */
  take(): number {
    this.#next += this.#step
    return this.#next
  }

  /** Whether a number was or could have been given already. */
  isOld(cas: number): boolean {
    return cas <= this.#next
  }
}
