import { STORE_BATCH_MAX } from './store.ts'

/** Invalidations of one kind that can travel in one call. */
export interface Told {
  readonly kind: 'key' | 'tag'
  readonly names: readonly string[]
  /** A write was under way. */
  readonly held: boolean
}

/**
 * Invalidations in their order, of each name the last: those that a store has yet to be told, or those that it was told a
 * moment ago and may have forgotten. When there are too many, one tag that all entries carry takes their place.
 */
export class InvalidationLog {
  readonly #items = new Map<string, Item>()
  readonly #everything: string

  /** @param everything the tag that voids all there is */
  constructor(everything: string) {
    this.#everything = everything
  }

  get size(): number {
    return this.#items.size
  }

  get isEmpty(): boolean {
    return this.#items.size === 0
  }

  /** Adds what was invalidated at `atMs`. What was noted of the same names before counts no more. */
  add({ kind, names, held }: Told, atMs: number): void {
    for (const name of names) this.#put({ kind, name, held, atMs })
  }

  /** Forgets what is older than `atMs`. */
  forgetBefore(atMs: number): void {
    for (const [id, item] of this.#items) {
      if (item.atMs >= atMs) return
      this.#items.delete(id)
    }
  }

  /** Moves everything to another log, except what that one knows newer. */
  moveTo(other: InvalidationLog): void {
    const newer = [...other.#items.values()]
    for (const item of [...this.#items.values(), ...newer]) other.#put(item)
    this.#items.clear()
  }

  /** Takes the oldest, and what can travel with it in one call. */
  take(): Told | undefined {
    let taken: { kind: Told['kind']; names: string[]; held: boolean } | undefined
    for (const [id, { kind, name, held }] of this.#items) {
      taken ??= { kind, names: [], held }
      if (kind !== taken.kind || held !== taken.held) continue
      this.#items.delete(id)
      if (taken.names.push(name) === STORE_BATCH_MAX) break
    }
    return taken
  }

  /**
   * Tells everything, the oldest first, and what is added meanwhile. Rejects at the first that can not be told; that one
   * stays, unless something newer was noted of the same name.
   */
  async drain(tell: (told: Told) => Promise<unknown>, nowMs: () => number): Promise<void> {
    for (let told = this.take(); told !== undefined; told = this.take()) {
      try {
        await tell(told)
      } catch (error) {
        const { kind, held } = told
        for (const name of told.names)
          if (!this.#items.has(`${kind}${name}`)) this.#put({ kind, name, held, atMs: nowMs() })
        throw error
      }
    }
  }

  #put(item: Item): void {
    const id = `${item.kind}${item.name}`
    this.#items.delete(id) // so that it takes its place at the end
    this.#items.set(id, item)
    if (this.#items.size <= LOG_MAX) return
    this.#items.clear()
    this.#put({ kind: 'tag', name: this.#everything, held: false, atMs: item.atMs })
  }
}

interface Item {
  readonly kind: Told['kind']
  readonly name: string
  readonly held: boolean
  readonly atMs: number
}

/** How many names a log holds. */
export const LOG_MAX = 10_000
