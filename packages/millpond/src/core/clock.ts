import { CoarseTime } from './coarse-time.ts'

/**
 * Time, passed in. Everything in Millpond that waits, expires or measures asks a `Clock`, so that a test can drive
 * the hands itself (`manualClock` in `millpond/testing`) and no result depends on how fast a machine is.
 */
export interface Clock {
  /** Milliseconds since some fixed moment of this process. Never goes back, whatever is done to the wall clock. */
  monotonic(): number
  /**
   * Like `monotonic`, for what is asked on every hit: cheaper, and behind by no more than this turn of the event loop has
   * lasted. Default: `monotonic`.
   */
  coarse?(): number
  /** Milliseconds since 1970. May jump both ways; used only for what leaves the process or is shown to a person. */
  wall(): number
  /**
   * Calls `run` once after `delayMs`. The timer does not keep the process alive, unless it `holds` it: because somebody
   * waits for what it does, and nothing else may be left to keep the process from ending meanwhile. Default: false.
   */
  after(delayMs: number, run: () => void, holds?: boolean): Timer
}

/** What `Clock.after` returns. Cancelling a timer that has fired does nothing. */
export interface Timer {
  /** The timer does not fire any more. */
  cancel(): void
}

/** The longest delay that `setTimeout` keeps: longer ones fire at once, so they are cut to this (24.8 days). */
const DELAY_MS_MAX = 2 ** 31 - 1

/** The clock of the machine: `performance.now`, `Date.now` and timers that let the process end where nobody waits for them. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  coarse: () => coarseTime.nowMs(),
  wall: () => Date.now(),
  after(delayMs, run, holds) {
    const handle: { unref?: () => void } | number = setTimeout(run, Math.min(delayMs, DELAY_MS_MAX))
    if (!holds && typeof handle === 'object') handle.unref?.()
    return { cancel: () => clearTimeout(handle as never) }
  },
}

const coarseTime = new CoarseTime(systemClock.monotonic, systemClock.after)

/** Resolves after `delayMs` of the clock's time. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve, true)
  })
}

/** What `work` gives, or what `late` gives or throws where that takes longer than `limitMs`. The work goes on then. */
export async function timeLimit<T>(
  clock: Pick<Clock, 'after'>,
  limitMs: number,
  work: () => T | PromiseLike<T>,
  late: () => T,
): Promise<T> {
  if (limitMs === Number.POSITIVE_INFINITY) return await work()
  let timer: Timer | undefined
  const limit = new Promise<void>((resolve) => {
    timer = clock.after(limitMs, resolve, true)
  })
  try {
    return await Promise.race([work(), limit.then(late)])
  } finally {
    timer?.cancel()
  }
}
