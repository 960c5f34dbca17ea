/** All that a cache holds, as the pieces of an RDB file: at once, or in steps between which commands run. */
import { countsUses } from '../../engine/eviction.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { RdbWriter } from '../../engine/rdb/rdb-writer.ts'
import type { Service } from '../service.ts'

const KEYS_A_SCAN = 16
/** From this size on what was written is to be taken away. */
const PIECE_BYTES = 256 * 1024

/**
 * Each key is as it was at the moment when the walk came to it, and keys may be of different moments: there is no fork to hold the
 * others still. What must be of one moment is walked at once. Keys keep their places meanwhile, so that none comes twice; and
 * what is there from the beginning to the end is met.
 */
export class SnapshotWalk {
  /** Keys that were met, and how many there were at the beginning. */
  keys = 0
  readonly total: number
  /** Texts of the function libraries at the beginning. */
  readonly libraries: readonly string[]
  readonly #service: Service
  readonly #writer: RdbWriter
  readonly #databases: readonly Keyspace[]
  #at = 0
  #cursor = 0
  #begun = false
  #open = true

  constructor(service: Service, isLogBase = false) {
    const { cache, time } = service
    this.#service = service
    this.#databases = cache.databases.filter(({ size }) => size > 0)
    this.total = this.#databases.reduce((sum, { size }) => sum + size, 0)
    this.libraries = service.scripts.functions.all.map(({ text }) => text)
    this.#writer = new RdbWriter({
      isLogBase,
      nowMs: time.read(),
      usedBytes: cache.usedBytes,
      ...(cache.maxMemory > 0 && { uses: countsUses(cache.policy) ? ('frequency' as const) : ('idle' as const) }),
      libraries: this.libraries,
    })
    cache.holdShape(true)
  }

  /** Writes keys for about so many milliseconds, or until a piece is full. Returns whether that was all. */
  advance(ms: number): boolean {
    const endsAtMs = performance.now() + ms
    let isOver = false
    this.#service.cache.alone(() => {
      do isOver = !this.#step()
      while (!isOver && performance.now() < endsAtMs && !this.isFull)
    })
    return isOver
  }

  /** Whether there is a piece. */
  get isFull(): boolean {
    return this.#writer.sink.length >= PIECE_BYTES
  }

  take(): Buffer {
    return this.#writer.sink.take()
  }

  /** The last piece. */
  end(): Buffer {
    return this.#writer.end()
  }

  /** Lets keys move again. To be called at the end, however that came. */
  close(): void {
    if (this.#open) this.#service.cache.holdShape(false)
    this.#open = false
  }

  /** Writes some keys. `false`: there are none any more. */
  #step(): boolean {
    const db = this.#databases[this.#at]
    if (db === undefined) return false
    if (!this.#begun) this.#writer.selectDb(db)
    this.#begun = true
    const { cursor, keys } = db.scan(this.#cursor, KEYS_A_SCAN)
    for (const key of keys) this.#writer.key(db, key)
    this.keys += keys.length
    this.#cursor = cursor
    if (cursor === 0) {
      this.#at++
      this.#begun = false
    }
    return true
  }
}
