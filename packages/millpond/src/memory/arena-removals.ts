/** Removals on their way to a listener, which hears of them when the table is in order again and its locks are free. */
import { isReference, keyLengthOf, readItem, spaceOf } from './arena-item.ts'
import { CHUNK } from './arena-layout.ts'
import type { ArenaMemory } from './arena-memory.ts'
import type { RemovalReason } from './policy.ts'

/** Hears of an entry that left: its key, why, and the space that it was in. */
export type ArenaRemovalListener = (key: Uint8Array, reason: RemovalReason, space: number) => void

/** What is told, and to whom. */
export interface ArenaListeners {
  /**
   * Called once for each entry that this thread removed, after the call that removed it has done its work. `key` is a
   * copy of the key. It may use the table. Costs a copy of each removed key. Default: nobody is told.
   */
  onRemove?: ArenaRemovalListener
  /** The reasons that `onRemove` is called for. Default: all. */
  removals?: readonly RemovalReason[]
  /** Told of what `onRemove` throws. Default: thrown on its own, as an uncaught exception. */
  onError?: (error: unknown) => void
  /** Called at once when an entry goes that refers to an object: its number may be used again. Must not use the table. */
  onRelease?: (number: number) => void
}

export class ArenaRemovals {
  readonly #listener: ArenaRemovalListener | undefined
  readonly #reasons: readonly RemovalReason[] | undefined
  readonly #onError: (error: unknown) => void
  readonly #onRelease: ((number: number) => void) | undefined
  readonly #waiting: { key: Uint8Array; reason: RemovalReason; space: number }[] = []
  #telling = false

  constructor({ onRemove, removals, onError = throwAlone, onRelease }: ArenaListeners) {
    this.#listener = onRemove
    this.#reasons = removals
    this.#onError = onError
    this.#onRelease = onRelease
  }

  /** Whether removals for this reason must be noted one by one. */
  wants(reason: RemovalReason): boolean {
    return this.#listener !== undefined && (this.#reasons === undefined || this.#reasons.includes(reason))
  }

  /** Notes that the item of this ref leaves. Before it is freed: its key is read here. */
  note(memory: ArenaMemory, ref: number, reason: RemovalReason): void {
    if (isReference(memory, ref)) this.#onRelease?.(memory.words[ref * 4 + CHUNK.FLAGS]!)
    if (this.#listener === undefined || !this.wants(reason)) return
    const key = new Uint8Array(keyLengthOf(memory, ref))
    readItem(memory, ref, 0, key, 0, key.length)
    this.#waiting.push({ key, reason, space: spaceOf(memory, ref) })
  }

  /** Tells the listener, in order. It may use the table, which notes more removals; they are told by the outer call. */
  tell(): void {
    if (this.#waiting.length === 0 || this.#telling) return
    this.#telling = true
    for (let removal = this.#waiting.shift(); removal; removal = this.#waiting.shift()) {
      try {
        this.#listener!(removal.key, removal.reason, removal.space)
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
