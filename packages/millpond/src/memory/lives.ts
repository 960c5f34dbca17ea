import { TimerWheel } from './timer-wheel.ts'

/**
 * How long the entries of a table live. A table makes one when it is first given an entry that can expire: until then
 * nothing of this exists. What `idle` needs is made when it is first used, too.
 */
export class Lives {
  readonly wheel: TimerWheel
  /** For slots with an idle limit: its length, and when the entry ends even if it is used. */
  #idleMs: Float64Array | undefined
  #endsAtMs: Float64Array | undefined

  constructor(slots: number, nowMs: number) {
    this.wheel = new TimerWheel(slots, nowMs)
  }

  /** A slot's life begins. */
  start(slot: number, ttlMs: number, idleMs: number, nowMs: number): void {
    if (idleMs < Number.POSITIVE_INFINITY && !this.#idleMs) {
      const slots = this.wheel.deadlines.length
      this.#idleMs = new Float64Array(slots).fill(Number.POSITIVE_INFINITY)
      this.#endsAtMs = new Float64Array(slots)
    }
    if (this.#idleMs) {
      this.#idleMs[slot] = idleMs
      this.#endsAtMs![slot] = nowMs + ttlMs
    }
    this.wheel.schedule(slot, nowMs + Math.min(ttlMs, idleMs), nowMs)
  }

  /** Whether the entry has an end at all: if not, nobody needs to know what time it is. */
  ends(slot: number): boolean {
    return this.wheel.deadlines[slot]! !== Number.POSITIVE_INFINITY
  }

  isOver(slot: number, nowMs: number): boolean {
    return this.wheel.deadlines[slot]! <= nowMs
  }

  /** The slot was used: its idle time begins anew. */
  touch(slot: number, nowMs: number): void {
    const idleMs = this.#idleMs
    if (!idleMs || idleMs[slot] === Number.POSITIVE_INFINITY) return
    this.wheel.schedule(slot, Math.min(this.#endsAtMs![slot]!, nowMs + idleMs[slot]!), nowMs)
  }

  /** What is left of the time to live. */
  ttlMs(slot: number, nowMs: number): number {
    return (this.idleMs(slot) < Number.POSITIVE_INFINITY ? this.#endsAtMs![slot]! : this.wheel.deadlines[slot]!) - nowMs
  }

  idleMs(slot: number): number {
    return this.#idleMs ? this.#idleMs[slot]! : Number.POSITIVE_INFINITY
  }

  grow(slots: number): void {
    this.wheel.grow(slots)
    if (!this.#idleMs) return
    this.#idleMs = copyOf(this.#idleMs, slots)
    this.#endsAtMs = copyOf(this.#endsAtMs!, slots)
  }
}

function copyOf(column: Float64Array, slots: number): Float64Array {
  const copy = new Float64Array(slots).fill(Number.POSITIVE_INFINITY)
  copy.set(column)
  return copy
}
