/** For tests: an event loop that is turned by hand. */
import { Turns } from './turns.ts'

export class TestLoop {
  /** What its clock says. */
  readonly now: () => number
  #ends: (() => void)[] = []

  constructor(now: () => number) {
    this.now = now
  }

  readonly atEnd = (run: () => void): void => void this.#ends.push(run)

  turns(): Turns {
    return new Turns(this.now, this.atEnd)
  }

  /** Whether somebody waits for the end of the turn. */
  get isBusy(): boolean {
    return this.#ends.length > 0
  }

  /** Ends the turn. */
  turn(): void {
    const ends = this.#ends
    this.#ends = []
    for (const end of ends) end()
  }
}
