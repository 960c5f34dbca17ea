import type { Clock } from '../core/clock.ts'
import { randomId } from '../core/ids.ts'
import type { Mark, Store, StoreAnswer, StoreRead, StoreRecord } from '../core/store.ts'

interface Cell {
  readonly mark: Mark
  readonly record?: StoreRecord
  readonly held?: boolean
  readonly storedAtMs: number
  /** Until then the mark stands, whether there is a record or not. */
  readonly fencedUntilMs: number
}

/**
 * A `Store` in memory, to be shared by several caches of one process as a server would be: the reference for what the
 * port means. Each call answers in a later microtask; `faultyStore` gives it delays, losses and errors.
 */
export class MemoryStore implements Store {
  readonly name = 'memory-store'
  /** Every call, by method and number of names (`read 2 1`: two keys and a tag), for tests that count commands. */
  readonly calls: string[] = []
  readonly #clock: Clock
  #cells = new Map<string, Cell>()
  #versions = new Map<string, { readonly version: string; readonly endsAtMs: number }>()
  #leases = new Map<string, { readonly holder: string; readonly endsAtMs: number }>()
  readonly #watchers = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    this.calls.push(`read ${keys.length} ${tags.length}`)
    return { entries: keys.map((key) => this.#read(key)), versions: tags.map((tag) => this.#version(tag)) }
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    this.calls.push('fill')
    if (this.#read(key).mark !== mark) return false
    const storedAtMs = this.#clock.monotonic()
    const fencedUntilMs = this.#cells.get(key)?.fencedUntilMs ?? storedAtMs
    this.#cells.set(key, { mark: randomId(), record, storedAtMs, fencedUntilMs })
    return true
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    this.calls.push(`invalidate ${keys.length}`)
    const nowMs = this.#clock.monotonic()
    return keys.map((key) => {
      const mark = randomId()
      this.#cells.set(key, { mark, held, storedAtMs: nowMs, fencedUntilMs: nowMs + fenceMs })
      return mark
    })
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    this.calls.push(`bump ${tags.length}`)
    for (const tag of tags) {
      if (heldMs === undefined) this.#newVersion(tag, '', Number.POSITIVE_INFINITY)
      else this.#newVersion(tag, '!', this.#clock.monotonic() + heldMs)
    }
  }

  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    this.calls.push('lease')
    const nowMs = this.#clock.monotonic()
    const current = this.#leases.get(key)
    if (current !== undefined && current.holder !== holder && nowMs < current.endsAtMs) return false
    this.#leases.set(key, { holder, endsAtMs: nowMs + leaseMs })
    return true
  }

  async release(key: string, holder: string): Promise<void> {
    this.calls.push('release')
    if (this.#leases.get(key)?.holder === holder) this.#leases.delete(key)
  }

  watch(onDoubt: () => void): () => void {
    this.#watchers.add(onDoubt)
    return () => void this.#watchers.delete(onDoubt)
  }

  async close(): Promise<void> {}

  /** Loses keys and versions, as a store does that evicts. */
  evictAll(): void {
    this.#cells.clear()
    this.#versions.clear()
  }

  /**
   * Keeps what is stored now. What it returns brings that back and tells who watches: as when a replica is promoted that
   * had not received what came since.
   */
  copy(): () => void {
    const [cells, versions, leases] = [new Map(this.#cells), new Map(this.#versions), new Map(this.#leases)]
    return () => {
      this.#cells = new Map(cells)
      this.#versions = new Map(versions)
      this.#leases = new Map(leases)
      for (const onDoubt of this.#watchers) onDoubt()
    }
  }

  #version(tag: string): string {
    const kept = this.#versions.get(tag)
    if (kept !== undefined && this.#clock.monotonic() < kept.endsAtMs) return kept.version
    return this.#newVersion(tag, '', Number.POSITIVE_INFINITY)
  }

  #newVersion(tag: string, prefix: string, endsAtMs: number): string {
    const version = prefix + randomId()
    this.#versions.set(tag, { version, endsAtMs })
    return version
  }

  #read(key: string): StoreRead {
    const cell = this.#cells.get(key)
    const nowMs = this.#clock.monotonic()
    if (cell === undefined) return { mark: '' }
    const { mark, record, held } = cell
    const agedMs = nowMs - cell.storedAtMs
    if (record === undefined || agedMs >= record.keepMs)
      return nowMs < cell.fencedUntilMs ? { mark, held: held === true } : { mark: '' }
    const freshMs = Math.max(0, record.freshMs - agedMs)
    return { mark, record: { ...record, freshMs, keepMs: record.keepMs - agedMs } }
  }
}
