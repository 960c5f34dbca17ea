/** How long the answer to a question is waited for before it counts as lost. */
import { type Clock, systemClock, timeLimit } from '../../core/clock.ts'

/** The least that is waited for any answer. */
export const PATIENCE_MS = 500
/** That is waited for what many readers need, and without which none is answered from the cache. */
export const LONG_PATIENCE_MS = 2000

/** No answer came in time; the connection may be alive all the same. */
export class NoAnswer extends Error {
  constructor(limitMs: number) {
    super(`the server did not answer within ${limitMs} ms`)
  }
}

/**
 * Puts questions to the server and gives them up when no answer comes. The driver (mongodb 7.9, writeCommand) loses a command
 * whose connection closes between its turn and its bytes: it is neither answered nor refused, ever. So a question that has no
 * answer is put again soon, and twice as long is waited after each that was lost, for a server that is only slow.
 */
export class Patience {
  private readonly clock: Clock
  private readonly firstMs: number
  private readonly lastMs: number
  private limitMs: number

  constructor(clock: Clock, firstMs: number, lastMs: number) {
    this.clock = clock
    this.firstMs = Math.min(firstMs, lastMs)
    this.lastMs = lastMs
    this.limitMs = this.firstMs
  }

  /** @throws NoAnswer when there is none in time; what comes later is not waited for */
  async ask<T>(put: () => Promise<T>): Promise<T> {
    const { limitMs } = this
    try {
      const answer = await answerWithin(limitMs, put, this.clock)
      this.limitMs = this.firstMs
      return answer
    } catch (error) {
      if (error instanceof NoAnswer) this.limitMs = Math.min(limitMs * 2, this.lastMs)
      throw error
    }
  }
}

/** @throws NoAnswer */
export async function answerWithin<T>(limitMs: number, put: () => Promise<T>, clock: Clock = systemClock): Promise<T> {
  return await timeLimit<T>(clock, limitMs, put, () => {
    throw new NoAnswer(limitMs)
  })
}
