import type { Clock } from '../../core/clock.ts'

/** Long work in slices: after each 2 ms others get a turn of the event loop, so it is never held for long. */
export class Slices {
  readonly #clock: Clock
  readonly #turn: () => Promise<void>
  #untilMs = 0

  /** @param turn resolves in another turn of the event loop. Default: by `setImmediate` */
  constructor(clock: Clock, turn: () => Promise<void> = nextTurn) {
    this.#clock = clock
    this.#turn = turn
  }

  /** Call it between pieces of work of up to a millisecond. Returns a promise only when it is time to wait. */
  pause(): Promise<void> | undefined {
    if (this.#clock.monotonic() < this.#untilMs) return undefined
    return this.#wait()
  }

  async #wait(): Promise<void> {
    await this.#turn()
    this.#untilMs = this.#clock.monotonic() + SLICE_MS
  }
}

const SLICE_MS = 2

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
