import { BLOCK_WORDS, COUNTER_WORDS, FrequencySketch } from '../frequency-sketch.ts'
import { Ghost } from '../ghost.ts'
import type { PolicyFactory, PolicyShape } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/**
 * The default: keeps what is used often, and notices when that is the wrong thing to keep.
 *
 * Newcomers enter a small LRU list, the window. What falls out of it asks to be admitted to the main part, a segmented LRU
 * (protected, probation), and is when it was used more often than the entry that would have to leave (W-TinyLFU).
 * Two things adapt, by counting and without shadow caches:
 *
 * - **The window's share** moves along `SHARES`. More window pays when entries come back soon after the window let them go (the
 *   ghost sees them), less window pays when the main part's cold end earns more hits for its room than the far end of the
 *   window does. Loops want next to no window, bursts a large one.
 * - **Returning newcomers** go straight to the main part, without a contest, as long as they earn more hits there than the entries
 *   that they push out would have (these are remembered in the ghost as well). On a loop they do not.
 *
 * Frequency lives in the entry while it is in the table (4 bits, and the number of the period that they are of: halving
 * is lazy), and in the sketch after it has left, so a hit touches one cache line. An entry that
 * was moved to the front within the last quarter of its list's length is not moved again.
 *
 * Einziger, Eytan, Friedman and Manes, "Adaptive Software Cache Management", Middleware 2018; Megiddo and Modha, "ARC",
 * FAST 2003 (ghosts that steer); Karedla, Love and Wherry, "Caching Strategies to Improve Disk System Performance", 1994 (segments).
 */
class TinyLfu extends SlotLists {
  readonly #sketch: FrequencySketch
  readonly #ghost: Ghost

  constructor(shape: PolicyShape, memory: ArrayBufferLike, byteOffset: number) {
    super(shape, memory, byteOffset)
    const words = FrequencySketch.words(shape.slots, shape.parts)
    const offset = byteOffset + SlotLists.bytes(shape)
    // A set of four ghosts fills each block of counters: who comes or leaves needs both, and far memory is what churn costs.
    this.#sketch = new FrequencySketch(new Uint32Array(memory, offset, words), this.state.subarray(SKETCH, SKETCH + 1))
    this.#ghost = new Ghost(
      new Int32Array(memory, offset, words),
      this.state.subarray(GHOST, GHOST + 1),
      BLOCK_WORDS,
      COUNTER_WORDS,
    )
  }

  insert(slot: number, hash: number, weight: number): void {
    const state = this.state
    this.#tick()
    const main = this.#recall(hash)
    const count = Math.min(15, this.#sketch.read(hash) + 1)
    const meta = (count << 2) | (state[PERIOD]! << 6) | (++state[MOVES]! << STAMP_BIT)
    this.enter(main ? PROBATION : WINDOW, slot, hash, weight, main ? meta | RETURNED : meta)
  }

  hit(slot: number): void {
    this.#tick()
    const state = this.state
    const place = slot + HEADS
    const at = place * 4 + 3
    const meta = this.links[at]!
    const list = meta & 3
    const used = Math.min(15, this.#count(meta) + 1)
    const base = (used << 2) | (state[PERIOD]! << 6)
    if ((meta & RETURNED) !== 0) this.#judgeReturns(EARNED)
    if (list === PROBATION) {
      this.#judgeWindow(MAIN_HITS)
      this.unlink(place)
      this.link(PROTECTED, place, base | (++state[MOVES]! << STAMP_BIT))
      this.#demote()
      return
    }
    const moves = (state[MOVES]! - (meta >>> STAMP_BIT)) & STAMP_MAX
    if (list === WINDOW && state[FULL] !== 0 && moves > this.#far()) this.#judgeWindow(FAR_HITS)
    if (moves < this.count(list) >>> 2) {
      this.links[at] = (meta & STAMP) | base | list
    } else {
      this.refresh(place, list)
      this.links[at] = (++state[MOVES]! << STAMP_BIT) | base | list
    }
  }

  evict(hash: number, weight: number): number {
    const windowMax = this.#windowMax(weight)
    this.state[FULL] = 1
    // The window has no bound while the table fills, and shrinks bit by bit when its share does.
    for (let moved = 0; moved < DRAIN && this.sum(WINDOW) > windowMax + weight; moved++)
      this.#toProbation(this.last(WINDOW))
    if (this.count(PROBATION) + this.count(PROTECTED) === 0) {
      return this.count(WINDOW) === 0 ? -1 : this.#drop(this.last(WINDOW))
    }
    const window = this.sum(WINDOW)
    const main = this.#returning(hash)
    const victim = this.last(this.count(PROBATION) > 0 ? PROBATION : PROTECTED)
    if (main ? window <= windowMax : window + weight <= windowMax) {
      if (main) this.#ghost.add(this.#hash(victim), PUSHED_OUT)
      return this.#drop(victim)
    }
    const candidate = this.last(WINDOW)
    if (this.#admits(candidate, victim)) {
      this.#toProbation(candidate)
      return this.#drop(victim)
    }
    this.#ghost.add(this.#hash(candidate), REFUSED)
    return this.#drop(candidate)
  }

  override clear(): void {
    super.clear()
    this.state[LEVEL] = 1
  }

  /** The contest. A frequent candidate that loses may win by chance, so that nobody can block the table with a few hot keys. */
  #admits(candidate: number, victim: number): boolean {
    const count = this.#count(this.links[candidate * 4 + 3]!)
    if (count > this.#count(this.links[victim * 4 + 3]!)) return true
    if (count <= 5) return false
    this.state[CHANCE] = Math.imul(this.state[CHANCE]!, 1664525) + 1013904223
    return this.state[CHANCE]! >>> 25 === 0
  }

  /** Whether the newcomer left not long ago and may go straight to the main part. */
  #returning(hash: number): boolean {
    const at = this.#ghost.find(hash, this.#size() >>> 1)
    return at >= 0 && this.#ghost.kind(at) === REFUSED && this.#trusted(hash)
  }

  /** As `returning`, once, when the newcomer is there: what its return teaches is noted. */
  #recall(hash: number): boolean {
    const ghost = this.#ghost
    const size = this.#size()
    const at = ghost.find(hash, size >>> 1)
    if (at < 0) return false
    const age = ghost.age(at)
    const kind = ghost.kind(at)
    ghost.forget(at)
    if (kind === PUSHED_OUT) {
      this.#judgeReturns(LOST)
      return false
    }
    const level = this.state[LEVEL]!
    if (level < SHARES.length - 1 && age < (this.#share(level + 1) - this.#share(level)) * size)
      this.#judgeWindow(NEAR_MISSES)
    return this.#trusted(hash)
  }

  /** Returning newcomers have earned their place of late; one in sixteen is let in all the same, to see if that has changed. */
  #trusted(hash: number): boolean {
    const state = this.state
    return state[EARNED]! + 2 >= state[LOST]! || (((hash >>> 9) + state[PERIOD]!) & 15) === 0
  }

  /** A hit on an entry that returned, or the return of one that it pushed out. */
  #judgeReturns(counter: number): void {
    const state = this.state
    state[counter]!++
    if (state[EARNED]! + state[LOST]! <= Math.max(16, this.#size() / 4)) return
    state[EARNED]! >>= 1
    state[LOST]! >>= 1
  }

  /** Weighs what the window's next larger and next smaller share would earn against what the main part earns with that room. */
  #judgeWindow(counter: number): void {
    const state = this.state
    if (state[FULL] === 0) return
    state[counter]!++
    if (state[NEAR_MISSES]! + state[FAR_HITS]! + state[MAIN_HITS]! < Math.max(32, this.#size() / 8)) return
    const level = state[LEVEL]!
    const share = this.#share(level)
    const perShare = state[MAIN_HITS]! / ((1 - share) * (1 - PROTECTED_SHARE))
    let next = level
    if (level > 0 && perShare * (share - this.#share(level - 1)) > state[FAR_HITS]!) next--
    else if (level < SHARES.length - 1 && state[NEAR_MISSES]! > 1.25 * perShare * (this.#share(level + 1) - share))
      next++
    const keep = next === level ? 1 : 31
    state[LEVEL] = next
    for (let at = NEAR_MISSES; at <= MAIN_HITS; at++) state[at]! >>= keep
  }

  /** Position in the window from which on a hit would have been a miss with the next smaller share. */
  #far(): number {
    const level = this.state[LEVEL]!
    return level === 0 ? STAMP_MAX : this.#share(level - 1) * this.#size()
  }

  /** The window's share at a level. In a small table that is 1, 2, 4, 6 or 8 entries, and at most three quarters. */
  #share(level: number): number {
    return Math.max(SHARES[level]!, Math.min(0.75, Math.max(1, 2 * level) / this.#size()))
  }

  /** What the window may weigh with a newcomer of this weight in it. */
  #windowMax(weight: number): number {
    return Math.max(weight, this.#share(this.state[LEVEL]!) * this.weight)
  }

  #toProbation(place: number): void {
    this.unlink(place)
    this.link(PROBATION, place, this.links[place * 4 + 3]! & ~3)
  }

  #demote(): void {
    while (this.sum(PROTECTED) > PROTECTED_SHARE * (this.sum(PROTECTED) + this.sum(PROBATION)))
      this.#toProbation(this.last(PROTECTED))
  }

  #drop(place: number): number {
    this.#sketch.raise(this.#hash(place), this.#count(this.links[place * 4 + 3]!))
    return this.leave(place)
  }

  #hash(place: number): number {
    return this.links[place * 4 + 2]!
  }

  /** Uses of an entry of late: halved for each period that has passed since they were written. */
  #count(meta: number): number {
    return ((meta >>> 2) & 15) >>> ((this.state[PERIOD]! - (meta >>> 6)) & 15)
  }

  #size(): number {
    return this.count(PROTECTED) + this.count(WINDOW) + this.count(PROBATION)
  }

  /** One use has passed. Sixteen a slot make a period, over which the sketch is halved bit by bit. */
  #tick(): void {
    const state = this.state
    const left = state[LEFT]! - 1
    state[LEFT] = left
    if ((left & 15) !== 0) return
    this.#sketch.halveSome()
    if (left > 0) return
    this.#sketch.age()
    state[PERIOD] = (state[PERIOD]! + 1) & 15
    state[LEFT] = 16 * Math.max(this.#size(), this.#sketch.blocks)
  }
}

/** TinyLFU with an adaptive window: the default. 24 to 32 bytes a slot; up to 48 in tables of at most 65,536, from 80 in those of at most 1,024. */
export const tinyLfu: PolicyFactory = {
  name: 'tinylfu',
  bytes(shape) {
    return SlotLists.bytes(shape) + 4 * FrequencySketch.words(shape.slots, shape.parts)
  },
  create(shape, memory, byteOffset) {
    return new TinyLfu(shape, memory, byteOffset)
  },
}

/** Lists, from hot to cold. */
const PROTECTED = 0
const WINDOW = 1
const PROBATION = 2
/** The window's possible shares of the table. It begins with the second one. */
const SHARES = [0.01, 0.1, 0.2, 0.3, 0.5]
/** How many entries leave the window without a contest at one eviction, when it is too large. */
const DRAIN = 32
/** What of the main part is protected. */
const PROTECTED_SHARE = 0.8

/** The meta word: list (2 bits), count (4), period of the count (4), returned and not yet used (1), when it was moved (21). */
const RETURNED = 1 << 10
const STAMP_BIT = 11
const STAMP = -1 << STAMP_BIT
const STAMP_MAX = 2 ** 21 - 1

/** Kinds of ghosts: refused by the contest, or pushed out by a returning newcomer. */
const REFUSED = 0
const PUSHED_OUT = 1

/** Words of state. */
const LEFT = 0
const PERIOD = 1
const MOVES = 2
const LEVEL = 3
const NEAR_MISSES = 4
const FAR_HITS = 5
const MAIN_HITS = 6
const EARNED = 7
const LOST = 8
const CHANCE = 9
const FULL = 10
const SKETCH = 11
const GHOST = 12
