import type { Clock } from '../../core/clock.ts'

/** When keys were last read, as far back as a window: for who wants to know that what it read was overtaken. */
export class ReadMarks {
  readonly #clock: Clock
  readonly #windowMs: number
  readonly #readAtMs = new Map<string, number>()

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock
    this.#windowMs = windowMs
  }

  note(key: string): void {
    const nowMs = this.#clock.coarse?.() ?? this.#clock.monotonic()
    if (this.#readAtMs.get(key) === nowMs) return
    // Deleted first, so that the oldest stay in front.
    this.#readAtMs.delete(key)
    this.#readAtMs.set(key, nowMs)
  }

  /** How long ago the key was read, if within the window. The mark is gone then: a read is told of once. */
  take(key: string): number | undefined {
    const readAtMs = this.#readAtMs.get(key)
    if (readAtMs === undefined) return undefined
    this.#readAtMs.delete(key)
    const agoMs = this.#clock.monotonic() - readAtMs
    return agoMs <= this.#windowMs ? agoMs : undefined
  }

  /** Drops marks that lie further back than the window. */
  sweep(): void {
    const oldestMs = this.#clock.monotonic() - this.#windowMs
    for (const [key, readAtMs] of this.#readAtMs) {
      if (readAtMs >= oldestMs) return
      this.#readAtMs.delete(key)
    }
  }
}
