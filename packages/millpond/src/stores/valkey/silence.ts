import type { Clock, Timer } from '../../core/clock.ts'

/** What is told of a silence. */
export interface SilenceOptions {
  readonly clock: Clock
  /** A command that is not answered for so long stands for a connection that is dead. */
  readonly limitMs: number
  readonly onSilence: () => void
}

/**
 * Notices a connection that is dead without a sign: a firewall forgot it, a host was cut off and replaced. TCP goes on
 * sending for a quarter of an hour before it says so, and clients wait as long.
 */
export class Silence {
  readonly #options: SilenceOptions
  /** What waits for its answer, the oldest first. */
  readonly #waiting = new Set<Sent>()
  #timer: Timer | undefined
  #suspect: Sent | undefined

  constructor(options: SilenceOptions) {
    this.#options = options
  }

  /** Counts the time until this is answered, well or not. */
  watch<T>(answer: Promise<T>): Promise<T> {
    const sent = { atMs: this.#options.clock.monotonic() }
    this.#waiting.add(sent)
    this.#timer ??= this.#options.clock.after(this.#options.limitMs, () => this.#check())
    const answered = (): void => void this.#waiting.delete(sent)
    answer.then(answered, answered)
    return answer
  }

  stop(): void {
    this.#waiting.clear()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Asks a second time before it tells: after a long turn of the event loop, an answer may be there and not yet read. */
  #check(): void {
    const { clock, limitMs, onSilence } = this.#options
    const [oldest] = this.#waiting
    this.#timer = undefined
    if (oldest === undefined) return
    const leftMs = oldest.atMs + limitMs - clock.monotonic()
    if (leftMs <= 0 && oldest === this.#suspect) {
      this.stop()
      onSilence()
      return
    }
    this.#suspect = leftMs <= 0 ? oldest : undefined
    this.#timer = clock.after(Math.max(leftMs, SURE_MS), () => this.#check())
  }
}

interface Sent {
  readonly atMs: number
}

const SURE_MS = 50
