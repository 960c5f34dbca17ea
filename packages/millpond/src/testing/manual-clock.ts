import type { Clock } from '../core/clock.ts'

/** A clock whose hands a test moves. Nothing fires by itself, and no test waits for real time. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms`, timer by timer in the order in which they are due. After each timer, and at both ends,
   * everything that is ready to run runs: promises, `nextTick` and immediates. `advance(0)` only lets things settle.
   */
  advance(ms: number): Promise<void>
  /** Moves time on and fires what is due, all in this call: promises do not get a turn in between. */
  advanceNow(ms: number): void
  /** Moves the wall clock only, forwards or (negative) backwards, as an administrator or NTP would. */
  jumpWall(ms: number): void
  /** How many timers wait. */
  readonly pending: number
}

interface Waiting {
  readonly atMs: number
  readonly run: () => void
}

/** A clock that stands at `monotonic() === 0`, with the wall at `wallMs` (default 2026-01-01T00:00:00Z). */
export function manualClock(wallMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Set<Waiting>()
  let nowMs = 0
  /** Fires the earliest timer that is due by `untilMs`; equal ones in the order in which they were set. */
  const fireNext = (untilMs: number): boolean => {
    let next: Waiting | undefined
    for (const timer of timers) if (timer.atMs <= untilMs && (!next || timer.atMs < next.atMs)) next = timer
    nowMs = Math.max(nowMs, next?.atMs ?? untilMs)
    if (!next) return false
    timers.delete(next)
    next.run()
    return true
  }
  return {
    monotonic: () => nowMs,
    wall: () => wallMs + nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(ms) {
      const untilMs = nowMs + ms
      do await settle()
      while (fireNext(untilMs))
      await settle()
    },
    advanceNow(ms) {
      const untilMs = nowMs + ms
      while (fireNext(untilMs));
    },
    jumpWall(ms) {
      wallMs += ms
    },
    get pending() {
      return timers.size
    },
  }
}

/** Resolves when everything that was ready to run has run: a turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
