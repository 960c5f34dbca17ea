import type { Clock } from '../core/clock.ts'
import { randomId } from '../core/ids.ts'
import type { Mark, Store, StoreRead, StoreRecord } from '../core/store.ts'

interface Cell {
  readonly mark: Mark
  readonly record?: StoreRecord
  readonly held?: boolean
  readonly storedAtMs: number
  readonly endsAtMs: number
}

/**
 * A `Store` in memory, to be shared by several caches of one process as a server would be: the reference for what the
 * port means. Each call answers in a later microtask; `faultyStore` gives it delays, losses and errors.
 */
export class MemoryStore implements Store {
  readonly name = 'memory-store'
  /** Every call, by method and number of names, for tests that count commands. */
  readonly calls: string[] = []
  readonly #clock: Clock
  readonly #cells = new Map<string, Cell>()
  readonly #versions = new Map<string, { version: string; endsAtMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async getMany(keys: readonly string[]): Promise<StoreRead[]> {
    this.calls.push(`getMany ${keys.length}`)
    return keys.map((key) => this.#read(key))
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    this.calls.push('fill')
    if (this.#read(key).mark !== mark) return false
    this.#put(key, record)
    return true
  }

  async set(key: string, record: StoreRecord): Promise<void> {
    this.calls.push('set')
    this.#put(key, record)
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    this.calls.push(`invalidate ${keys.length}`)
    const nowMs = this.#clock.monotonic()
    return keys.map((key) => {
      const mark = randomId()
      this.#cells.set(key, { mark, held, storedAtMs: nowMs, endsAtMs: nowMs + fenceMs })
      return mark
    })
  }

  async versions(tags: readonly string[]): Promise<string[]> {
    this.calls.push(`versions ${tags.length}`)
    return tags.map((tag) => {
      const kept = this.#versions.get(tag)
      if (kept !== undefined && this.#clock.monotonic() < kept.endsAtMs) return kept.version
      return this.#newVersion(tag, '', Number.POSITIVE_INFINITY)
    })
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    this.calls.push(`bump ${tags.length}`)
    for (const tag of tags) {
      if (heldMs === undefined) this.#newVersion(tag, '', Number.POSITIVE_INFINITY)
      else this.#newVersion(tag, '!', this.#clock.monotonic() + heldMs)
    }
  }

  async close(): Promise<void> {}

  /** Loses keys and versions, as a store does that evicts. */
  evictAll(): void {
    this.#cells.clear()
    this.#versions.clear()
  }

  #newVersion(tag: string, prefix: string, endsAtMs: number): string {
    const version = prefix + randomId()
    this.#versions.set(tag, { version, endsAtMs })
    return version
  }

  #put(key: string, record: StoreRecord): void {
    const storedAtMs = this.#clock.monotonic()
    this.#cells.set(key, { mark: randomId(), record, storedAtMs, endsAtMs: storedAtMs + record.keepMs })
  }

  #read(key: string): StoreRead {
    const cell = this.#cells.get(key)
    const nowMs = this.#clock.monotonic()
    if (cell === undefined || nowMs >= cell.endsAtMs) return { mark: '' }
    const { mark, record, held } = cell
    if (record === undefined) return { mark, held: held === true }
    const agedMs = nowMs - cell.storedAtMs
    const freshMs = Math.max(0, record.freshMs - agedMs)
    return { mark, record: { ...record, freshMs, keepMs: record.keepMs - agedMs } }
  }
}
