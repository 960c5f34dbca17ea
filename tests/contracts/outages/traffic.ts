import type { Cache } from 'millpond'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import type { Rows } from './rows.ts'
import { Stalls } from './stalls.ts'

/** What traffic does and how much of it there is. */
export interface TrafficOptions {
  readonly caches: readonly Cache[]
  readonly rows: Rows
  /** Requests a second, over all caches. Default 1000. */
  readonly perSecond?: number
  /** Default 200. */
  readonly keys?: number
  /** Which share of the requests changes a row and deletes its key. Default 0.05. */
  readonly writeShare?: number
  readonly seed?: number
}

/**
 * What was seen of the requests that ended since it was last asked. Times do not count that the event loop stood still
 * meanwhile; 0 where there was no such request.
 */
export interface Seen {
  readonly requests: number
  /** Requests that were rejected. A cache without its store rejects none. */
  readonly failed: number
  /** What the slowest read took beyond its load. */
  readonly readMs: number
  /** The same of those that began while the breaker was open. */
  readonly openReadMs: number
  readonly deleteMs: number
}

const TURN_MS = 5
const NOTHING: Seen = { requests: 0, failed: 0, readMs: 0, openReadMs: 0, deleteMs: 0 }

/** Steady requests to caches, however slow the answers are: reads of rows, and changes of rows with a delete of the key. */
export class Traffic {
  readonly #options: Required<TrafficOptions>
  readonly #isOpen = new Map<Cache, boolean>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #stalls = new Stalls()
  readonly #random: () => number
  #seen: { -readonly [name in keyof Seen]: Seen[name] } = { ...NOTHING }
  #timer: NodeJS.Timeout | undefined
  #lastMs = 0

  constructor(options: TrafficOptions) {
    this.#options = { perSecond: 1000, keys: 200, writeShare: 0.05, seed: 1, ...options }
    this.#random = seededRandom(this.#options.seed)
    for (const cache of options.caches) {
      cache.on('storeState', ({ state }) => this.#isOpen.set(cache, state === 'open'))
    }
  }

  start(): void {
    this.#lastMs = performance.now()
    this.#stalls.start()
    this.#timer = setInterval(() => this.#turn(), TURN_MS)
  }

  /** Starts nothing more, and waits for what is under way: at most this long, then it throws. */
  async stop(withinMs = 5000): Promise<void> {
    clearInterval(this.#timer)
    const all = Promise.all(this.#underWay)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.#underWay.size} requests hang for ${withinMs} ms`)), withinMs)
    })
    await Promise.race([all, late]).finally(() => clearTimeout(timer))
    this.#stalls.stop()
  }

  /** How long the event loop stood still since the start, all in all. */
  get stalledMs(): number {
    return this.#stalls.totalMs
  }

  /** What was seen since the last call. */
  take(): Seen {
    const seen = this.#seen
    this.#seen = { ...NOTHING }
    return seen
  }

  /** As many requests as the time since the last turn asks for. */
  #turn(): void {
    const { perSecond } = this.#options
    const nowMs = performance.now()
    const count = Math.floor(((nowMs - this.#lastMs) * perSecond) / 1000)
    this.#lastMs += (count * 1000) / perSecond
    for (let at = 0; at < count; at++) this.#track(this.#request())
  }

  async #request(): Promise<void> {
    const { caches, keys, rows, writeShare } = this.#options
    const cache = caches[Math.floor(this.#random() * caches.length)]!
    const key = `row${Math.floor(this.#random() * keys)}`
    const isWrite = this.#random() < writeShare
    const wasOpen = this.#isOpen.get(cache) === true
    const startMs = performance.now()
    const stalledMs = this.#stalls.totalMs
    let loadMs = 0
    const load = async (): Promise<number> => {
      const loadStartMs = performance.now()
      const version = await rows.load(key)
      loadMs = performance.now() - loadStartMs
      return version
    }
    this.#seen.requests++
    try {
      if (isWrite) {
        rows.write(key)
        await cache.delete(key)
      } else await cache.getOrSet(key, load)
    } catch {
      this.#seen.failed++
    }
    const tookMs = performance.now() - startMs
    const heldUpMs = this.#stalls.totalMs - stalledMs
    if (isWrite) return this.#max('deleteMs', tookMs - heldUpMs)
    // Who joined the load of another knows only how long it should take.
    const overMs = tookMs - Math.max(loadMs, rows.loadMs + heldUpMs)
    this.#max('readMs', overMs)
    if (wasOpen) this.#max('openReadMs', overMs)
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  #max(name: 'readMs' | 'openReadMs' | 'deleteMs', ms: number): void {
    this.#seen[name] = Math.max(this.#seen[name], ms)
  }
}
