import type { RemovalReason } from './policy.ts'

/**
 * Tells a listener what has left a table, after the table has done its work: the listener may use the table, and what it
 * removes is told after what it is being told. What it throws is handed on and never reaches the table.
 */
export class Removals<V> {
  readonly #onRemove: (key: string, value: V, reason: RemovalReason) => void
  readonly #onError: (error: unknown) => void
  #waiting: [string, V, RemovalReason][] = []
  #telling = false

  constructor(
    onRemove: (key: string, value: V, reason: RemovalReason) => void,
    onError: (error: unknown) => void = throwAlone,
  ) {
    this.#onRemove = onRemove
    this.#onError = onError
  }

  add(key: string, value: V, reason: RemovalReason): void {
    this.#waiting.push([key, value, reason])
  }

  tell(): void {
    if (this.#telling || this.#waiting.length === 0) return
    this.#telling = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      for (const [key, value, reason] of batch) this.#tellOne(key, value, reason)
    }
    this.#telling = false
  }

  #tellOne(key: string, value: V, reason: RemovalReason): void {
    try {
      this.#onRemove(key, value, reason)
    } catch (error) {
      try {
        this.#onError(error)
      } catch (second) {
        throwAlone(second)
      }
    }
  }
}

/** An uncaught exception of its own: seen by `process.on('uncaughtException')` and `window.onerror`. */
function throwAlone(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
