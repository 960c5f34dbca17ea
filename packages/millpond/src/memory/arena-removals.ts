/** Removals on their way to a listener, which hears of them when the table is in order again and its locks are free. */
import { keyLengthOf, readItem } from './arena-item.ts'
import type { ArenaMemory } from './arena-memory.ts'
import type { RemovalReason } from './policy.ts'

export type ArenaRemovalListener = (key: Uint8Array, reason: RemovalReason) => void

export class ArenaRemovals {
  readonly #listener: ArenaRemovalListener | undefined
  readonly #onError: (error: unknown) => void
  readonly #waiting: { key: Uint8Array; reason: RemovalReason }[] = []
  #telling = false

  constructor(listener: ArenaRemovalListener | undefined, onError: ((error: unknown) => void) | undefined) {
    this.#listener = listener
    this.#onError = onError ?? throwAlone
  }

  /** Whether somebody listens: then removals must be noted one by one. */
  get wanted(): boolean {
    return this.#listener !== undefined
  }

  /** Notes that the item of this ref leaves. Before it is freed: its key is read here. */
  note(memory: ArenaMemory, ref: number, reason: RemovalReason): void {
    if (this.#listener === undefined) return
    const key = new Uint8Array(keyLengthOf(memory, ref))
    readItem(memory, ref, 0, key, 0, key.length)
    this.#waiting.push({ key, reason })
  }

  /** Tells the listener, in order. It may use the table, which notes more removals; they are told by the outer call. */
  tell(): void {
    if (this.#waiting.length === 0 || this.#telling) return
    this.#telling = true
    for (let removal = this.#waiting.shift(); removal; removal = this.#waiting.shift()) {
      try {
        this.#listener!(removal.key, removal.reason)
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#telling = false
  }
}

/** A listener's failure is not the failure of the call that removed something. */
function throwAlone(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
