import type { Random } from '../../core/random.ts'

/** How a receiver asks again for what is missing. Times in milliseconds. */
export interface AskAgain {
  /** From the first request to the second; doubles from then on. */
  readonly firstMs: number
  /** The longest time between two requests. */
  readonly mostMs: number
  /** After so many requests the datagram is given up. */
  readonly times: number
}

/**
 * Which datagrams of one sender have come, and which are missing: makes delivery exactly once, in any order, and says
 * what to ask for and when.
 *
 * A ring of bits over the sequence numbers above `contiguous`, with the time of the next request and the number of
 * requests of each. In order, nothing of it is touched: a datagram costs two comparisons. Nothing is allocated after
 * the first gap. Its size bounds the memory: what falls out of it is given up, and counted as lost.
 */
export class Arrivals {
  /** Every datagram up to here came, or was given up. */
  contiguous: number
  /** The highest one that is known to have been sent. */
  highest: number
  /** How many below `highest` have not come. */
  missing = 0
  /** No request is due before. */
  nextAskMs: number = Number.POSITIVE_INFINITY
  /** How many were given up since the start. */
  lost = 0
  readonly #capacity: number
  readonly #mask: number
  #came: Uint32Array | undefined
  #askAtMs!: Float64Array
  #asked!: Uint8Array

  /** `base`: the first that counts is the one after it. `capacity`: a power of two, at least 32. */
  constructor(base: number, capacity: number) {
    this.contiguous = this.highest = base
    this.#capacity = capacity
    this.#mask = capacity - 1
  }

  /** Takes a datagram. Returns whether it is new; what it shows to be missing is asked for from `askAtMs` on. */
  take(seq: number, askAtMs: number): boolean {
    if (seq === this.contiguous + 1 && this.missing === 0) {
      this.contiguous = this.highest = seq
      return true
    }
    if (seq <= this.contiguous) return false
    if (seq > this.highest) {
      this.reveal(seq, askAtMs)
    } else if (this.#has(seq)) return false
    this.#put(seq)
    this.missing--
    this.#settle()
    return true
  }

  /** The sender has sent everything up to `seq`. */
  reveal(seq: number, askAtMs: number): void {
    if (seq <= this.highest) return
    if (seq - this.contiguous > this.#capacity) this.giveUpBelow(seq - this.#capacity + 1)
    if (this.#came === undefined) this.#open()
    for (let at = this.highest + 1; at <= seq; at++) {
      const place = at & this.#mask
      this.#came![place >>> 5]! &= ~(1 << (place & 31))
      this.#askAtMs[place] = askAtMs
      this.#asked[place] = 0
    }
    this.missing += seq - this.highest
    this.highest = seq
    if (askAtMs < this.nextAskMs) this.nextAskMs = askAtMs
  }

  /** The sender has nothing below `low` any more: what is missing there never comes. Returns how many that are. */
  giveUpBelow(low: number): number {
    if (low <= this.contiguous + 1) return 0
    const lostBefore = this.lost
    for (let seq = this.contiguous + 1; seq < low && seq <= this.highest; seq++) {
      if (this.#has(seq)) continue
      this.missing--
      this.lost++
    }
    if (low - 1 > this.highest) {
      this.lost += low - 1 - this.highest
      this.highest = low - 1
    }
    this.contiguous = low - 1
    this.#settle()
    return this.lost - lostBefore
  }

  /**
   * Writes what is to be asked for now to `ranges`, as pairs of first and count, at most `countMax` datagrams. Returns
   * the length that was used, and sets `nextAskMs`. What was asked for too often is given up: see `lost`.
   */
  due(nowMs: number, again: AskAgain, random: Random, ranges: number[], countMax: number): number {
    let used = 0
    let left = countMax
    let nextMs = Number.POSITIVE_INFINITY
    const scale = 0.75 + 0.5 * random()
    for (let seq = this.#firstMissing(this.contiguous + 1); seq <= this.highest; seq = this.#firstMissing(seq + 1)) {
      const place = seq & this.#mask
      if (this.#askAtMs[place]! <= nowMs) {
        if (this.#asked[place]! >= again.times) {
          this.#put(seq)
          this.missing--
          this.lost++
          continue
        }
        if (left === 0 || (used === ranges.length && ranges[used - 2]! + ranges[used - 1]! !== seq)) {
          nextMs = nowMs + ASK_PACE_MS
          break
        }
        left--
        this.#askAtMs[place] = nowMs + Math.min(again.mostMs, again.firstMs * 2 ** this.#asked[place]!++) * scale
        if (used > 0 && ranges[used - 2]! + ranges[used - 1]! === seq) ranges[used - 1]!++
        else {
          ranges[used++] = seq
          ranges[used++] = 1
        }
      }
      if (this.#askAtMs[place]! < nextMs) nextMs = this.#askAtMs[place]!
    }
    this.nextAskMs = nextMs
    this.#settle()
    return used
  }

  /** Somebody else asks for these, loud enough for all: it is not asked for again before `untilMs`. Returns how many that are. */
  heardAsk(first: number, count: number, untilMs: number): number {
    let suppressed = 0
    const last = Math.min(this.highest, first + count - 1)
    for (let seq = Math.max(first, this.contiguous + 1); seq <= last; seq++) {
      const place = seq & this.#mask
      if (this.#has(seq) || this.#askAtMs[place]! >= untilMs) continue
      this.#askAtMs[place] = untilMs
      suppressed++
    }
    return suppressed
  }

  #open(): void {
    this.#came = new Uint32Array(this.#capacity >>> 5)
    this.#askAtMs = new Float64Array(this.#capacity)
    this.#asked = new Uint8Array(this.#capacity)
  }

  #has(seq: number): boolean {
    const place = seq & this.#mask
    return (this.#came![place >>> 5]! & (1 << (place & 31))) !== 0
  }

  #put(seq: number): void {
    const place = seq & this.#mask
    this.#came![place >>> 5]! |= 1 << (place & 31)
  }

  /** The first from `seq` on that has not come; above `highest` if there is none. Steps over 32 that came at once. */
  #firstMissing(seq: number): number {
    while (seq <= this.highest) {
      const place = seq & this.#mask
      if ((place & 31) === 0 && this.#came![place >>> 5] === ALL_CAME) seq += 32
      else if (this.#has(seq)) seq++
      else break
    }
    return seq
  }

  #settle(): void {
    if (this.missing === 0) {
      this.contiguous = this.highest
      this.nextAskMs = Number.POSITIVE_INFINITY
    } else while (this.#has(this.contiguous + 1)) this.contiguous++
  }
}

/** 32 bits that are set. */
const ALL_CAME = 0xffff_ffff
/** When more is missing than one request may name, the next one follows after so long. */
const ASK_PACE_MS = 1
