import { positiveCount } from '../core/count.ts'
import { type Duration, durationMs } from '../core/duration.ts'
import { OptionError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'

/** How a failed write is tried again: after `base`, then twice that, and so on up to `max`, each shortened at random. */
export interface WriteRetry {
  /** Tries of one write, the first included, before it is given up. Default: no bound. */
  attempts?: number
  /** How long after its first try a write may still be tried again. Default: no bound. */
  for?: Duration
  /** The first pause. Default `'100ms'`. */
  base?: Duration
  /** The longest pause. Default `'30s'`. */
  max?: Duration
  /** The share of a pause that is left to chance, 0 to 1. Default 0.5. */
  jitter?: number
}

/** Milliseconds until the next try of a write that failed `attempts` times over `elapsedMs`; `undefined`: give it up. */
export type RetryPlan = (attempts: number, elapsedMs: number) => number | undefined

/**
 * The plan that `retry` describes.
 *
 * @throws OptionError (`ERR_OPTION`)
 */
export function planRetry(retry: WriteRetry, random: Random): RetryPlan {
  const most = positiveCount(retry.attempts, 'retry.attempts', Number.POSITIVE_INFINITY)
  const forMs = retry.for === undefined ? Number.POSITIVE_INFINITY : durationMs(retry.for, 'retry.for')
  const baseMs = durationMs(retry.base ?? 100, 'retry.base')
  const maxMs = durationMs(retry.max ?? 30_000, 'retry.max')
  const { jitter = 0.5 } = retry
  if (!(jitter >= 0 && jitter <= 1)) throw new OptionError('retry.jitter', jitter, 'give a number from 0 to 1')
  return (attempts, elapsedMs) => {
    if (attempts >= most || elapsedMs >= forMs) return undefined
    return Math.min(maxMs, baseMs * 2 ** (attempts - 1)) * (1 - jitter * random())
  }
}
