/** How long this thread computes without looking at its timers: in time of the processor, as `pauses.mjs` measures it in another process. */
import { readFileSync } from 'node:fs'

const LOOK_EVERY_MS = 2

export class ThreadPauses {
  readonly #timer: NodeJS.Timeout
  #last: number = usedMs()
  #longestMs = 0

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /** The longest, in milliseconds. */
  end(): number {
    clearInterval(this.#timer)
    return this.#longestMs
  }

  #look(): void {
    const now = usedMs()
    this.#longestMs = Math.max(this.#longestMs, now - this.#last)
    this.#last = now
  }
}

/** Of the main thread, whose number is the process's. */
function usedMs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
}
