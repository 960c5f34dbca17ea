import type { Clock, Timer } from './clock.ts'
import { StoreError } from './errors.ts'

/**
 * Keeps a store that fails from being in the way: bounds each call in time, stops trying after the first failure, gives
 * up what is under way then, and probes until the store answers again. What it returns to only after `recover` has done
 * its work, so that nothing is read before what was missed meanwhile is made up for (Nygard, "Release It!": circuit
 * breaker, half-open).
 */
export class Breaker {
  readonly #options: BreakerOptions
  #open = false
  #probe: Timer | undefined
  #closed = false
  /** What gives up each call that is under way. */
  readonly #underWay = new Set<GiveUp>()
  /** What the store answers came into doubt since `recover` began: it begins anew at once, whatever comes of it. */
  #isDoubted = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#open
  }

  /**
   * Runs one call against the store. An error that only refuses this call opens nothing.
   *
   * @throws StoreError (`ERR_STORE`) at once while open or after `close`, or when the call fails or does not end within `timeoutMs`
   */
  call<T>(operation: string, run: () => Promise<T>): Promise<T> {
    if (!this.#open && !this.#closed) return this.#guarded(operation, run)
    const why = this.#open ? 'it failed a moment ago' : 'who used it is closed'
    return Promise.reject(new StoreError(`${this.#options.name} is not tried: ${why}`))
  }

  /**
   * What was answered a moment ago may be lost, and what is under way may be answered by somebody else: that counts as
   * failed, and `recover` runs before other calls are let through. It runs at once, also where the next probe would be
   * later: the store may just have come back.
   */
  doubt(): void {
    this.#giveUpAll('broke its connection', true)
    if (!this.#open) this.#trip(0)
    else if (this.#probe === undefined) this.#isDoubted = true
    else {
      this.#probe.cancel()
      this.#scheduleProbe(0)
    }
  }

  close(): void {
    this.#closed = true
    this.#probe?.cancel()
  }

  /** One promise and one timer a call: every read that misses the near tier comes this way. */
  #guarded<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs, name } = this.#options
    return new Promise((resolve, reject) => {
      let isOver = false
      const isFirst = (): boolean => {
        if (isOver) return false
        timer.cancel()
        this.#underWay.delete(giveUp)
        return (isOver = true)
      }
      const fail = (cause: unknown): void => {
        if (isFirst()) reject(this.#failed(operation, cause, true))
      }
      const giveUp: GiveUp = (reason, isNews) => {
        if (!isFirst()) return
        const error = new StoreError(`${name} ${reason} while it answered ${operation}`)
        queueMicrotask(() => reject(this.#failed(operation, error, isNews)))
      }
      const late = (): void => fail(new StoreError(`${name} did not answer ${operation} within ${timeoutMs} ms`))
      const timer = patient(clock).after(timeoutMs, late, true)
      this.#underWay.add(giveUp)
      try {
        run().then((answer) => isFirst() && resolve(answer), fail)
      } catch (error) {
        fail(error)
      }
    })
  }

  /** The error of a call that failed. It opens the breaker, unless it only refuses this call. */
  #failed(operation: string, cause: unknown, isNews: boolean): StoreError {
    const { name, onError } = this.#options
    const error = cause instanceof StoreError ? cause : new StoreError(`${name} failed at ${operation}`, { cause })
    if (error.refused) return error
    this.#trip(PROBE_MS_FIRST)
    if (isNews) onError(operation, error)
    return error
  }

  /** Thousands may be under way. One failure is one, and is told once. */
  #giveUpAll(reason: string, isNews: boolean): void {
    for (const giveUp of this.#underWay) {
      giveUp(reason, isNews)
      isNews = false
    }
    this.#underWay.clear()
  }

  #trip(probeMs: number): void {
    if (this.#open || this.#closed) return
    this.#open = true
    this.#options.onState('open')
    this.#giveUpAll('failed another call', false)
    this.#scheduleProbe(probeMs)
  }

  #scheduleProbe(delayMs: number): void {
    if (this.#closed) return
    const { clock, recover, isRecovered, onState } = this.#options
    this.#probe = clock.after(delayMs, () => {
      this.#probe = undefined
      this.#isDoubted = false
      recover((operation, run) => this.#guarded(operation, run)).then(
        () => {
          if (this.#isDoubted || !isRecovered()) return this.#scheduleProbe(0)
          this.#open = false
          onState('closed')
        },
        () => {
          const laterMs = Math.min(Math.max(delayMs * 2, PROBE_MS_FIRST), PROBE_MS_LAST)
          this.#scheduleProbe(this.#isDoubted ? 0 : laterMs)
        },
      )
    })
  }
}

/**
 * Timers are served before what a socket has received: after a turn that took longer than the limit, an answer that is there
 * already would count as too late. So a timer that is due waits one more turn.
 */
function patient(clock: Clock): Pick<Clock, 'after'> {
  return {
    after(delayMs, run, holds) {
      let timer = clock.after(
        delayMs,
        () => {
          timer = clock.after(0, run, holds)
        },
        holds,
      )
      return { cancel: () => timer.cancel() }
    },
  }
}

/** `isNews`: nobody was told of this failure yet. */
type GiveUp = (reason: string, isNews: boolean) => void

const PROBE_MS_FIRST = 100
/** Low enough that a store that is back is in use within 2 s. */
const PROBE_MS_LAST = 1000

/** Runs one call, bounded in time. */
export type Attempt = <T>(operation: string, run: () => Promise<T>) => Promise<T>

export interface BreakerOptions {
  /** What is guarded, for messages. */
  readonly name: string
  readonly clock: Clock
  readonly timeoutMs: number
  /** One attempt to make up for what was missed, call by call; it also is the probe. Repeated until it succeeds. */
  readonly recover: (attempt: Attempt) => Promise<void>
  /** Whether nothing was missed since: asked last, before calls are let through again. */
  readonly isRecovered: () => boolean
  readonly onState: (state: 'open' | 'closed') => void
  readonly onError: (operation: string, error: StoreError) => void
}
