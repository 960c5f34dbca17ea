import { type Clock, type Timer, timeLimit } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'

/** Something open, such as a connection that is subscribed. */
export interface Line {
  close(): void
}

/** What a keeper needs. */
export interface KeeperOptions {
  readonly clock: Clock
  /** Opens a line. It calls `onDown` when that has ended by itself, and gives up when the signal is aborted. */
  readonly open: (onDown: (reason: unknown) => void, signal: AbortSignal) => Promise<Line>
  /** How long opening may take. */
  readonly limitMs: number
  /** The longest pause between two tries. */
  readonly pauseMsMax: number
  readonly onUp: () => void
  /** A line that was up has ended. Also called for a try that failed, with `wasUp` false. */
  readonly onDown: (reason: unknown, wasUp: boolean) => void
}

/**
 * Keeps a line open: opens another when it ends, or when its owner finds that nothing comes through it any more. Clients'
 * own reconnecting is not used, because no client tells all of it; here each line is used once.
 */
export class Keeper {
  readonly #options: KeeperOptions
  #line: Line | undefined
  /** Counts lines: what an earlier one still says is not listened to. */
  #current = 0
  #failures = 0
  #retry: Timer | undefined
  #opening: AbortController | undefined
  #closed = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#line !== undefined
  }

  /** Opens the first line. */
  start(): void {
    void this.#open()
  }

  /** Ends this line, and opens another. */
  renew(reason: unknown): void {
    this.#ended(this.#current, reason)
  }

  close(): void {
    this.#closed = true
    this.#current++
    this.#retry?.cancel()
    this.#opening?.abort()
    this.#line?.close()
    this.#line = undefined
  }

  async #open(): Promise<void> {
    const { clock, open, limitMs, onUp } = this.#options
    const current = ++this.#current
    const opening = new AbortController()
    this.#opening = opening
    const line = open((reason) => this.#ended(current, reason), opening.signal)
    try {
      const late = (): never => {
        throw new StoreError(`subscribing took longer than ${limitMs} ms`)
      }
      const opened = await timeLimit(clock, limitMs, () => line, late)
      if (current !== this.#current) return opened.close()
      this.#line = opened
      this.#failures = 0
      onUp()
    } catch (error) {
      opening.abort()
      line.then((late) => late.close()).catch(() => {})
      this.#ended(current, error)
    }
  }

  #ended(current: number, reason: unknown): void {
    if (current !== this.#current || this.#closed) return
    const { clock, pauseMsMax, onDown } = this.#options
    const wasUp = this.isUp
    this.#current++
    this.#line?.close()
    this.#line = undefined
    const pauseMs = wasUp ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, pauseMsMax)
    this.#retry = clock.after(pauseMs, () => void this.#open())
    onDown(reason, wasUp)
  }
}

const FIRST_PAUSE_MS = 50
