import type { Random } from 'millpond'
import type { ManualClock } from 'millpond/testing'

/** Decides in which order everything happens, by a seed: who waits at `pause` goes on when it is drawn. */
export class Scheduler {
  readonly clock: ManualClock
  readonly random: Random
  readonly #paused: (() => void)[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #started: Promise<void>[] = []
  /** What a real server is asked at this moment: nothing is drawn before it has answered. */
  readonly #outside = new Set<Promise<unknown>>()
  /** Logical time: moves with everything that may matter to the order. */
  tick = 0

  constructor(clock: ManualClock, random: Random) {
    this.clock = clock
    this.random = random
  }

  /** Waits until it is drawn. */
  pause(): Promise<void> {
    return new Promise((resolve) => void this.#paused.push(resolve))
  }

  /** Asks somebody outside of the simulation, who answers in a time of its own. */
  async outside<T>(answer: T | Promise<T>): Promise<T> {
    const asked = Promise.resolve(answer)
    this.#outside.add(asked)
    try {
      return await asked
    } finally {
      this.#outside.delete(asked)
    }
  }

  /** Everything that is ready runs. */
  async turn(): Promise<void> {
    do await new Promise(setImmediate)
    while (this.#outside.size > 0)
  }

  /** Starts something that runs beside the rest. */
  start(run: () => Promise<void>): void {
    const running = run().finally(() => this.#running.delete(running))
    running.catch(() => {})
    this.#started.push(running)
    this.#running.add(running)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  /**
   * Plays until all of `actions` have been started and nothing runs any more. `fault` is called now and then, as long as
   * there are actions to start; then `calm` is, and again at the end.
   */
  async play(actions: (() => Promise<void>)[], fault: () => void, calm: () => void): Promise<void> {
    let isCalm = false
    for (let step = 0; actions.length > 0 || this.#running.size > 0; step++) {
      if (step > 100_000) throw new Error('the schedule does not end')
      this.tick++
      const draw = this.random()
      if (actions.length === 0 && !isCalm) {
        isCalm = true
        calm()
      }
      if (draw < 0.3 && actions.length > 0 && this.#running.size < 8) this.start(actions.shift()!)
      else if (draw < 0.33 && actions.length > 0) fault()
      else if (draw < 0.4 || this.#paused.length === 0) await this.clock.advance(this.below(30))
      else this.#release()
      await this.turn()
    }
    calm()
    await this.rest()
    await Promise.all(this.#started)
  }

  /** Lets everything that waits go on until nothing does. */
  async rest(): Promise<void> {
    while (this.#paused.length > 0) {
      this.#release()
      await this.turn()
    }
  }

  #release(): void {
    const at = this.below(this.#paused.length)
    this.#paused.splice(at, 1)[0]!()
  }
}
