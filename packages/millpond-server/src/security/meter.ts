/** What may be done in a second: operations, and bytes in and out, of a token or a cache. */
import { ReplyError } from '../engine/errors.ts'

/** Infinity: no bound. */
export interface Quotas {
  readonly operations: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export const NO_QUOTAS: Quotas = { operations: Infinity, bytesIn: Infinity, bytesOut: Infinity }

/** What was refused because a quota is used up. HTTP answers 429 and `Retry-After`, memcached SERVER_ERROR. */
export class LimitError extends ReplyError {
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super(`${message}; try again in ${Math.ceil(retryAfterMs)} ms`, 'LIMIT')
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * A token bucket: it holds what may be done within a second, and fills all the time. Bytes are known only after they have
 * come or gone, so it may owe; nothing more is let through until it owes nothing.
 */
class Bucket {
  readonly #perSecond: number
  #level: number
  #filledAtMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#level = Math.max(1, perSecond)
    this.#filledAtMs = nowMs
  }

  /** Milliseconds until so much can be taken; 0: now. */
  lacks(amount: number, nowMs: number): number {
    if (this.#perSecond === Infinity) return 0
    const passedMs = Math.max(0, nowMs - this.#filledAtMs)
    this.#level = Math.min(Math.max(1, this.#perSecond), this.#level + (passedMs / 1000) * this.#perSecond)
    this.#filledAtMs = nowMs
    return this.#level >= amount ? 0 : ((amount - this.#level) / this.#perSecond) * 1000
  }

  take(amount: number): void {
    this.#level -= amount
  }
}

export class Meter {
  /** Whose: "token 'shop'", "cache 'shop'". */
  readonly of: string
  /** Refusals since the start. */
  refused = 0
  #quotas: Quotas = NO_QUOTAS
  #operations: Bucket
  #bytesIn: Bucket
  #bytesOut: Bucket

  constructor(of: string, quotas: Quotas, nowMs: number) {
    this.of = of
    this.#operations = this.#bytesIn = this.#bytesOut = new Bucket(Infinity, nowMs)
    this.change(quotas, nowMs)
  }

  get quotas(): Quotas {
    return this.#quotas
  }

  /** Whether there is any bound. */
  get isBounded(): boolean {
    const { operations, bytesIn, bytesOut } = this.#quotas
    return operations !== Infinity || bytesIn !== Infinity || bytesOut !== Infinity
  }

  change(quotas: Quotas, nowMs: number): void {
    this.#quotas = quotas
    this.#operations = new Bucket(quotas.operations, nowMs)
    this.#bytesIn = new Bucket(quotas.bytesIn, nowMs)
    this.#bytesOut = new Bucket(quotas.bytesOut, nowMs)
  }

  /** Counts an operation. @throws LimitError when there were too many, or too many bytes */
  operation(nowMs: number): void {
    this.#check('operations', this.#operations.lacks(1, nowMs), this.#quotas.operations)
    this.#check('bytes in', this.#bytesIn.lacks(0, nowMs), this.#quotas.bytesIn)
    this.#check('bytes out', this.#bytesOut.lacks(0, nowMs), this.#quotas.bytesOut)
    this.#operations.take(1)
  }

  /** Counts bytes that have come and gone. */
  bytes(bytesIn: number, bytesOut: number): void {
    this.#bytesIn.take(bytesIn)
    this.#bytesOut.take(bytesOut)
  }

  #check(what: string, retryAfterMs: number, quota: number): void {
    if (retryAfterMs <= 0) return
    this.refused++
    throw new LimitError(`${this.of} has used up its ${quota} ${what} a second`, retryAfterMs)
  }
}
