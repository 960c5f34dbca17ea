/** What a process of the suite `mesh-stress` does to its map: 55 gets, 20 inserts, 20 updates and 5 deletes of a hundred. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StressSettings } from './settings.ts'

/** Carried out, by kind; `idle`: an insert of a key that is there, an update or delete of one that is not. */
export type OperationCounts = Record<'get' | 'insert' | 'update' | 'delete' | 'idle', number>

export class Operations {
  readonly counts: OperationCounts = { get: 0, insert: 0, update: 0, delete: 0, idle: 0 }
  readonly #map: Map<string, string>
  readonly #settings: StressSettings
  readonly #peer: string
  readonly #random: () => number
  #writes = 0

  constructor(map: Map<string, string>, settings: StressSettings, peer: string, random: () => number) {
    this.#map = map
    this.#settings = settings
    this.#peer = peer
    this.#random = random
  }

  /** Works until the time is over. Rests are kept on average, though a timer takes a millisecond at least. */
  async run(): Promise<OperationCounts> {
    const { sleepSpan, sleepUnit, duration } = this.#settings
    const startMs = performance.now()
    const endMs = startMs + duration * 1000
    let dueMs = startMs
    for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
      for (let turn = 0; dueMs <= nowMs && turn < TURN_MAX; turn++) {
        this.#one()
        dueMs += (this.#random() * sleepSpan * 1000) / sleepUnit
      }
      await sleep(Math.min(Math.max(1, dueMs - nowMs), endMs - nowMs))
      // A process that does not come to its turn does not make up for it.
      dueMs = Math.max(dueMs, nowMs - LATE_MS_MAX)
    }
    return this.counts
  }

  #one(): void {
    const kind = this.#random() * 100
    const key = `key-${Math.floor(this.#random() * this.#settings.entries)}`
    const isThere = this.#map.has(key)
    if (kind < 55) {
      this.#map.get(key)
      this.counts.get++
    } else if (kind < 75 && !isThere) this.#set(key, 'insert')
    else if (kind >= 75 && kind < 95 && isThere) this.#set(key, 'update')
    else if (kind >= 95 && isThere) {
      this.#map.delete(key)
      this.counts.delete++
    } else this.counts.idle++
  }

  #set(key: string, kind: 'insert' | 'update'): void {
    this.#map.set(key, `${this.#peer} ${this.#writes++} `.padEnd(this.#valueBytes(), '.'))
    this.counts[kind]++
  }

  #valueBytes(): number {
    const { sizeMix } = this.#settings
    const isLarge = sizeMix === 2 || (sizeMix === 3 && this.#random() < 0.1)
    return isLarge ? 2000 + Math.floor(this.#random() * 38_000) : 20 + Math.floor(this.#random() * 180)
  }
}

const TURN_MAX = 1000
const LATE_MS_MAX = 100
