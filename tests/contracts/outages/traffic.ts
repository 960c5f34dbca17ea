import type { Cache } from 'millpond'
import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import type { Rows } from './rows.ts'

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

/** What was seen of the requests that began since it was last asked. */
export interface Seen {
  readonly requests: number
  /** The slowest read, and the slowest while the breaker was open at its start; 0 where there was none. */
  readonly slowestMs: number
  readonly slowestOpenMs: number
  readonly slowestDeleteMs: number
  /** The slowest load without any cache, begun at the same moments: what the machine itself was late by. */
  readonly slowestDirectMs: number
  /** Requests that were rejected. A cache without its store rejects none. */
  readonly failed: number
}

const TURN_MS = 5
const NOTHING: Seen = { requests: 0, slowestMs: 0, slowestOpenMs: 0, slowestDeleteMs: 0, slowestDirectMs: 0, failed: 0 }

/** Steady requests to caches, however slow the answers are: reads of rows, and changes of rows with a delete of the key. */
export class Traffic {
  readonly #options: Required<TrafficOptions>
  readonly #isOpen = new Map<Cache, boolean>()
  readonly #underWay = new Set<Promise<void>>()
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
    this.#track(this.#direct())
    for (let at = 0; at < count; at++) this.#track(this.#request())
  }

  async #request(): Promise<void> {
    const { caches, keys, rows, writeShare } = this.#options
    const cache = caches[Math.floor(this.#random() * caches.length)]!
    const key = `row${Math.floor(this.#random() * keys)}`
    const isWrite = this.#random() < writeShare
    const wasOpen = this.#isOpen.get(cache) === true
    const startMs = performance.now()
    this.#seen.requests++
    try {
      if (isWrite) {
        rows.write(key)
        await cache.delete(key)
      } else await cache.getOrSet(key, () => rows.load(key))
    } catch {
      this.#seen.failed++
    }
    const tookMs = performance.now() - startMs
    if (isWrite) this.#max('slowestDeleteMs', tookMs)
    else this.#max('slowestMs', tookMs)
    if (!isWrite && wasOpen) this.#max('slowestOpenMs', tookMs)
  }

  async #direct(): Promise<void> {
    const startMs = performance.now()
    await this.#options.rows.load('row0')
    this.#max('slowestDirectMs', performance.now() - startMs)
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  #max(name: 'slowestMs' | 'slowestOpenMs' | 'slowestDeleteMs' | 'slowestDirectMs', ms: number): void {
    this.#seen[name] = Math.max(this.#seen[name], ms)
  }
}
