/**
 * Deadlines of slots, by bucket: nothing is sorted, setting one costs the same with ten entries and with ten million.
 *
 * Five wheels of 64 buckets; a bucket of the first spans 64 ms, a bucket of the next as much as the whole wheel below (4 s,
 * 4.4 min, 4.7 h, 12 days). When a bucket's time begins, its slots move to the wheel below, and from the first wheel they
 * come out. Stretches without any slot are stepped over whole.
 *
 * A deadline that moves away leaves the slot where it is: it is placed again when its bucket comes up. So renewing an
 * entry is one store, and freeing one is none at all: whoever is called back for a slot looks whether it is still in use.
 * All work is counted: `advance` stops when its budget is spent and goes on from there the next time.
 *
 * Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987.
 */
export class TimerWheel {
  /** When each slot is due, in ms of the clock. Infinity: never. */
  deadlines: Float64Array
  /** previous and next of each place: a bucket, or `BUCKETS` + slot. A next of 0: not in the wheel. */
  #links: Int32Array
  readonly #originMs: number
  #tick = 0
  /** Whether the buckets of this tick have been emptied: nothing is put in them any more. */
  #isDone = false
  /** How many slots are in the wheel. */
  size = 0

  constructor(slots: number, nowMs: number) {
    this.#originMs = nowMs
    this.deadlines = new Float64Array(slots).fill(Number.POSITIVE_INFINITY)
    this.#links = new Int32Array((BUCKETS + slots) * 2)
    for (let bucket = 1; bucket < BUCKETS; bucket++) this.#links[bucket * 2] = this.#links[bucket * 2 + 1] = bucket
  }

  /** Sets the deadline of a slot, also of one that has been freed and is in use anew. */
  schedule(slot: number, deadlineMs: number, nowMs: number): void {
    const place = slot + BUCKETS
    const earlier = !(deadlineMs >= this.deadlines[slot]!)
    this.deadlines[slot] = deadlineMs
    const linked = this.#links[place * 2 + 1] !== 0
    if (linked && !earlier) return
    if (linked) this.#unlink(place)
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    if (this.size === 0) this.#tick = Math.max(this.#tick, this.#tickOf(nowMs))
    this.#place(place)
  }

  /**
   * Calls `due` for slots whose deadline is not after `nowMs`, about 64 ms late at most; `due` may change the wheel. Returns whether all were
   * seen; if not, the budget was spent: it counts slots looked at and buckets opened.
   */
  advance(nowMs: number, budget: number, due: (slot: number) => void): boolean {
    const target = this.#tickOf(nowMs)
    if (this.#isDone && target <= this.#tick) return true
    this.#isDone = false
    for (;;) {
      if (this.size === 0) {
        this.#tick = Math.max(this.#tick, target)
        this.#isDone = true
        return true
      }
      for (let level = LEVELS - 1; level >= 0; level--) {
        if (this.#tick % SPANS[level]! !== 0) continue
        const bucket = bucketOf(level, this.#tick)
        for (let place = this.#links[bucket * 2 + 1]!; place !== bucket; place = this.#links[bucket * 2 + 1]!) {
          if (budget-- <= 0) return false
          this.#unlink(place)
          const slot = place - BUCKETS
          if (this.deadlines[slot]! <= nowMs) due(slot)
          else if (this.deadlines[slot]! < Number.POSITIVE_INFINITY) this.#place(place)
        }
      }
      if (this.#tick >= target) {
        this.#isDone = true
        return true
      }
      if (budget-- <= 0) return false
      this.#tick = Math.min(target, this.#nextTick())
    }
  }

  /** The next moment at which there may be work, in ms of the clock; Infinity when the wheel is empty. */
  nextMs(): number {
    return this.#originMs + this.#nextTick() * TICK_MS
  }

  grow(slots: number): void {
    const { deadlines } = this
    this.deadlines = new Float64Array(slots).fill(Number.POSITIVE_INFINITY, deadlines.length)
    this.deadlines.set(deadlines)
    const links = this.#links
    this.#links = new Int32Array((BUCKETS + slots) * 2)
    this.#links.set(links)
  }

  /** The first tick after this one at which a bucket that is not empty begins. */
  #nextTick(): number {
    let next = Number.POSITIVE_INFINITY
    for (let level = 0; level < LEVELS; level++) {
      const span = SPANS[level]!
      let tick = this.#tick - (this.#tick % span) + span
      const end = tick + 64 * span
      while (tick < end && this.#isEmpty(bucketOf(level, tick))) tick += span
      if (tick < end) next = Math.min(next, tick)
    }
    return next
  }

  #isEmpty(bucket: number): boolean {
    return this.#links[bucket * 2 + 1] === bucket
  }

  /** The last tick that has begun. */
  #tickOf(ms: number): number {
    return Math.floor((ms - this.#originMs) / TICK_MS)
  }

  #place(place: number): void {
    const links = this.#links
    const dueTick = Math.ceil((this.deadlines[place - BUCKETS]! - this.#originMs) / TICK_MS)
    const tick = Math.max(this.#tick + 1, Math.min(dueTick, this.#tick + SPANS[LEVELS]! - 1))
    let level = 0
    while (tick - this.#tick >= SPANS[level + 1]!) level++
    const bucket = bucketOf(level, tick)
    const last = links[bucket * 2]!
    links[place * 2] = last
    links[place * 2 + 1] = bucket
    links[last * 2 + 1] = place
    links[bucket * 2] = place
    this.size++
  }

  #unlink(place: number): void {
    const links = this.#links
    const previous = links[place * 2]!
    const next = links[place * 2 + 1]!
    links[previous * 2 + 1] = next
    links[next * 2] = previous
    links[place * 2 + 1] = 0
    this.size--
  }
}

const TICK_MS = 64
const LEVELS = 5
/** Places of buckets; place 0 stands for none. */
const BUCKETS = 1 + 64 * LEVELS
/** Ticks of one bucket of each level; the last is what all wheels span together. What is due later is looked at again by then. */
const SPANS = [1, 2 ** 6, 2 ** 12, 2 ** 18, 2 ** 24, 2 ** 30]

function bucketOf(level: number, tick: number): number {
  return 1 + level * 64 + (Math.floor(tick / SPANS[level]!) & 63)
}
