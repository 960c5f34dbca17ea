/**
 * A part of an arena-table with an index, a policy and a lock of its own: keys belong to a stripe by their hash. It knows
 * which slot holds which item, and when it expires; every method is called by the holder of the lock.
 *
 * A slot keeps its number as long as its item lives, whatever moves: cursors and policies count on it. The index, the
 * slots, the expiries and the policy's state lie side by side in a run of pages, the stripe's home. A stripe that has
 * grown moves to a larger home; a stripe is small, so that takes no longer in a large table than in a small one.
 */

import { remix } from './arena-hash.ts'
import { type ArenaHome, type ArenaParts, firstSlots, planHome, policyBytes, SLOTS_MIN } from './arena-home.ts'
import { indexFind, indexInsert, indexRemove } from './arena-index.ts'
import { extraUnitsOf, hasKey, spaceOf, unitsOf } from './arena-item.ts'
import type { ArenaKeyReader } from './arena-key.ts'
import { CHUNK, CHUNK_USE, HAS_EXPIRY, HEAD_BYTES_USE, STRIPE, TABLE } from './arena-layout.ts'
import type { ArenaMemory } from './arena-memory.ts'
import { trap } from './arena-trap.ts'
import { frequencyOf } from './arena-use.ts'
import type { Policy, PolicyEntries } from './policy.ts'

/** How many places of the index a guess looks at: few keys lie further from where they belong. */
const GUESSES = 16

export class ArenaStripe implements PolicyEntries {
  /** First word of this stripe's words. */
  readonly word: number
  readonly number: number
  policy!: Policy
  /** The slot that a set in progress will use, whatever happens meanwhile to the item that it holds; else -1. */
  reserved = -1
  /** Whether this thread keeps its lock between calls: see `ArenaCore.hold`. */
  held = false
  readonly #parts: ArenaParts
  readonly #memory: ArenaMemory
  readonly #words: Int32Array
  readonly #bits: number
  readonly #spaces: number
  #home!: ArenaHome
  #generation = -1
  // The hot parts of the home, flat.
  #mask = 0
  #indexWord = 0
  #slotsWord = 0
  #expiresDouble = 0

  constructor(parts: ArenaParts, number: number) {
    this.#parts = parts
    this.#memory = parts.memory
    this.#words = parts.memory.words
    this.#bits = parts.memory.layout.stripeBits
    this.#spaces = parts.memory.layout.spaces
    this.number = number
    this.word = parts.memory.stripeWord(number)
  }

  get count(): number {
    return this.#words[this.word + STRIPE.COUNT]!
  }

  /** Bytes / 16 of its chunks. What objects weigh is not in it: one of them would make a stripe pay for all others. */
  get units(): number {
    return this.#words[this.word + STRIPE.LIVE_UNITS]!
  }

  /** Whether it has a home. */
  get isMade(): boolean {
    return this.#indexWord !== 0
  }

  /** Items of a space. */
  countOf(space: number): number {
    return this.#spaces === 1 ? this.count : this.#words[this.word + STRIPE.KEYS + space * 2]!
  }

  /** Items of a space that have an expiry. */
  expiringOf(space: number): number {
    return this.#spaces === 1 ? this.expiring : this.#words[this.word + STRIPE.KEYS + space * 2 + 1]!
  }

  /** Slots below this may hold items. */
  get usedSlots(): number {
    return this.#words[this.word + STRIPE.USED_SLOTS]!
  }

  get expiring(): number {
    return this.#words[this.word + STRIPE.EXPIRING]!
  }

  /** Follows a home that another thread may have moved. First call after the lock was taken. */
  enter(): void {
    if (this.#words[this.word + STRIPE.GENERATION] !== this.#generation) this.#settle()
  }

  /** The item with this key; 0 when there is none. */
  find(key: ArenaKeyReader): number {
    const { hash } = key
    const words = this.#words
    const mask = this.#mask
    const base = this.#indexWord
    if (base === 0) return 0
    for (let place = (hash >>> this.#bits) & mask; ; place = (place + 1) & mask) {
      const ref = words[base + place * 2 + 1]!
      if (ref === 0) return 0
      if (words[base + place * 2] === hash && hasKey(this.#memory, ref, key)) return ref
    }
  }

  /** The first word that a look for this hash reads. */
  indexWordOf(hash: number): number {
    return this.#words[this.#indexWord + ((hash >>> this.#bits) & this.#mask) * 2]!
  }

  /** Most likely the item with this hash, asked without the lock; 0: it is not known. */
  guess(hash: number): number {
    const words = this.#words
    const mask = this.#mask
    const base = this.#indexWord
    if (base === 0) return 0
    let place = (hash >>> this.#bits) & mask
    for (let left = GUESSES; left > 0; left--, place = (place + 1) & mask) {
      const ref = words[base + place * 2 + 1]!
      if (ref === 0 || words[base + place * 2] === hash) return ref
    }
    return 0
  }

  slotOf(ref: number): number {
    return (this.#words[ref * 4 + CHUNK.OWNER]! - 1) >>> this.#bits
  }

  /** What stands in the chunks of a slot's item. */
  ownerOf(slot: number): number {
    return ((slot << this.#bits) | this.number) + 1
  }

  /** The item of a slot; 0 or less when it holds none. */
  itemOf(slot: number): number {
    return this.#words[this.#slotsWord + slot]!
  }

  /** When the item of a slot expires; Infinity: never. There must be a column for it. */
  expiresAtMs(slot: number): number {
    return this.#memory.doubles[this.#expiresDouble + slot]!
  }

  frequency(slot: number): number {
    const ref = this.itemOf(slot)
    return this.#memory.headBytes < HEAD_BYTES_USE || ref <= 0 ? 0 : frequencyOf(this.#words[ref * 4 + CHUNK_USE]!)
  }

  hasExpiry(ref: number): boolean {
    return this.#words[ref * 4 + CHUNK.KEY_LENGTH]! < 0
  }

  /** Whether an item is past its time. */
  isExpired(ref: number, nowMs: number): boolean {
    return this.hasExpiry(ref) && this.expiresAtMs(this.slotOf(ref)) <= nowMs
  }

  /** Whether the item of a slot may be past its time: a look at the column of expiries only. */
  mayHaveExpired(slot: number, nowMs: number): boolean {
    return this.#expiresDouble !== 0 && this.#memory.doubles[this.#expiresDouble + slot]! <= nowMs
  }

  /** Sets or, with Infinity, takes away an item's expiry. There must be a column for it. */
  setExpiry(ref: number, expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY && !this.hasExpiry(ref)) return
    if (this.#putExpiry(ref, expiresAtMs)) this.policy.expires?.(this.slotOf(ref), this.hasExpiry(ref))
  }

  /** As `setExpiry`, before the policy knows the slot or after it has let go of it. Returns whether there is one now and was none, or the reverse. */
  #putExpiry(ref: number, expiresAtMs: number): boolean {
    const words = this.#words
    const had = this.hasExpiry(ref)
    const has = expiresAtMs !== Number.POSITIVE_INFINITY
    if (this.#expiresDouble !== 0) this.#memory.doubles[this.#expiresDouble + this.slotOf(ref)] = expiresAtMs
    if (had === has) return false
    words[ref * 4 + CHUNK.KEY_LENGTH]! ^= HAS_EXPIRY
    words[this.word + STRIPE.EXPIRING]! += has ? 1 : -1
    if (this.#spaces > 1) {
      words[this.word + STRIPE.KEYS + spaceOf(this.#memory, ref) * 2 + 1]! += has ? 1 : -1
    }
    return true
  }

  /** An item has come (1) or leaves (-1): what is counted by space, and what its object weighs. */
  #countItem(ref: number, change: 1 | -1): void {
    const words = this.#words
    words[this.word + STRIPE.COUNT]! += change
    if (this.#spaces > 1) words[this.word + STRIPE.KEYS + spaceOf(this.#memory, ref) * 2]! += change
    const extra = extraUnitsOf(this.#memory, ref)
    if (extra !== 0) this.#countExtra(extra * change)
  }

  #countExtra(units: number): void {
    this.#words[this.word + STRIPE.EXTRA_UNITS]! += units
    // The holders of other stripes count there, too.
    Atomics.add(this.#words, TABLE.EXTRA_UNITS, units)
  }

  /** The object that an item refers to weighs something else now: bytes / 16. */
  weigh(ref: number, extraUnits: number): void {
    this.#countExtra(extraUnits - this.#words[ref * 4 + CHUNK.VALUE_LENGTH]!)
    this.#words[ref * 4 + CHUNK.VALUE_LENGTH] = extraUnits
    this.policy.reweigh(this.slotOf(ref), unitsOf(this.#memory, ref) + extraUnits)
  }

  /** Whether expiries can be set; if not, `grow` with `expiries` makes the column. */
  get hasExpiries(): boolean {
    return this.#expiresDouble !== 0
  }

  /** A slot without an item, -1 when all hold one. */
  takeSlot(): number {
    const words = this.#words
    const free = words[this.word + STRIPE.FREE_SLOT]!
    if (free !== 0) {
      words[this.word + STRIPE.FREE_SLOT] = -words[this.#slotsWord + free - 1]! - 1
      return free - 1
    }
    if (this.#indexWord === 0 || this.usedSlots >= this.#home.slots) return -1
    words[this.#slotsWord + this.usedSlots] = 0
    return words[this.word + STRIPE.USED_SLOTS]!++
  }

  giveSlot(slot: number): void {
    this.#words[this.#slotsWord + slot] = -this.#words[this.word + STRIPE.FREE_SLOT]! - 1
    this.#words[this.word + STRIPE.FREE_SLOT] = slot + 1
  }

  /** Makes the pending chain the item of a slot that was taken. */
  insert(slot: number, hash: number, units: number, expiresAtMs: number): void {
    const words = this.#words
    const head = words[this.word + STRIPE.PENDING]!
    words[this.word + STRIPE.TOUCHING] = slot + 1
    indexInsert(words, this.#indexWord, this.#mask, this.#bits, hash, head)
    if (trap.at !== undefined) trap.at('insert')
    words[this.#slotsWord + slot] = head
    words[this.word + STRIPE.PENDING] = 0
    this.#countItem(head, 1)
    this.#putExpiry(head, expiresAtMs)
    this.policy.insert(slot, remix(hash), units, expiresAtMs !== Number.POSITIVE_INFINITY)
    if (trap.at !== undefined) trap.at('publish')
    words[this.word + STRIPE.TOUCHING] = 0
  }

  /** Makes the pending chain the item of a slot that holds another one, which is freed. */
  replace(slot: number, hash: number, units: number, expiresAtMs: number): void {
    const words = this.#words
    const head = words[this.word + STRIPE.PENDING]!
    const old = this.itemOf(slot)
    words[this.word + STRIPE.TOUCHING] = slot + 1
    this.#relink(hash, old, head)
    words[this.word + STRIPE.LEAVING] = old
    if (trap.at !== undefined) trap.at('replace')
    words[this.#slotsWord + slot] = head
    words[this.word + STRIPE.PENDING] = 0
    const ended = this.#putExpiry(old, Number.POSITIVE_INFINITY)
    this.#countItem(old, -1)
    this.#countItem(head, 1)
    const begun = this.#putExpiry(head, expiresAtMs)
    this.freeChain(STRIPE.LEAVING)
    this.policy.reweigh(slot, units)
    if (ended !== begun) this.policy.expires?.(slot, begun)
    this.policy.hit(slot)
    words[this.word + STRIPE.TOUCHING] = 0
  }

  /** Takes an item out and frees it. `left`: the policy has let go of the slot already. */
  remove(slot: number, left: boolean): void {
    const words = this.#words
    const ref = this.itemOf(slot)
    words[this.word + STRIPE.TOUCHING] = slot + 1
    if (!left) this.policy.remove(slot)
    this.#putExpiry(ref, Number.POSITIVE_INFINITY)
    this.#countItem(ref, -1)
    indexRemove(words, this.#indexWord, this.#mask, this.#bits, words[ref * 4 + CHUNK.HASH]!, ref)
    if (trap.at !== undefined) trap.at('remove')
    words[this.word + STRIPE.LEAVING] = ref
    words[this.#slotsWord + slot] = 0
    this.freeChain(STRIPE.LEAVING)
    if (slot !== this.reserved) this.giveSlot(slot)
    words[this.word + STRIPE.TOUCHING] = 0
  }

  /** Frees the chain that a word of the stripe names, as far as it is of this stripe. */
  freeChain(chain: number): void {
    const words = this.#words
    const chainWord = this.word + chain
    while (words[chainWord] !== 0) {
      if (this.#owns(words[chainWord]!)) this.#parts.pages.freeFirst(this.word, chainWord)
      else words[chainWord] = 0
    }
  }

  /** Whether a chunk belongs to an item of this stripe. Nobody else can give or take such a chunk while we hold the lock. */
  #owns(ref: number): boolean {
    const owner = this.#words[ref * 4 + CHUNK.OWNER]!
    return owner !== 0 && ((owner - 1) & (this.#memory.layout.stripes - 1)) === this.number
  }

  /**
   * Moves one chunk of an item to another place, out of a page that is emptied. `false` when that cannot be done now:
   * no room, or a chunk of an item that is being written.
   */
  move(ref: number, classNumber: number): boolean {
    const words = this.#words
    const slot = this.slotOf(ref)
    const previous = this.#before(slot, ref)
    if (previous < 0) return false
    words[this.word + STRIPE.TOUCHING] = slot + 1
    const moved = this.#parts.pages.allocate(classNumber, words[ref * 4]!, this.word, this.word + STRIPE.MOVING)
    if (moved !== 0) this.#moveTo(ref, moved, previous, slot, classNumber)
    words[this.word + STRIPE.TOUCHING] = 0
    return moved !== 0
  }

  /** Whether a chunk is part of the item of a slot. */
  reaches(slot: number, ref: number): boolean {
    return this.#before(slot, ref) >= 0
  }

  /** The chunk before this one in the item of a slot, 0 for the first, -1 when it is not of this item. */
  #before(slot: number, ref: number): number {
    let previous = 0
    for (let at = this.itemOf(slot); at !== ref; at = this.#words[at * 4 + CHUNK.NEXT]!) {
      if (at <= 0) return -1
      previous = at
    }
    return previous
  }

  /** At every step, each chunk is reached from the slot, from `MOVING` or from `LEAVING`. */
  #moveTo(ref: number, moved: number, previous: number, slot: number, classNumber: number): void {
    const words = this.#words
    const { bytes, classes } = this.#memory
    bytes.copyWithin(moved * 16 + 8, ref * 16 + 8, ref * 16 + classes.sizes[classNumber]!)
    if (trap.at !== undefined) trap.at('move')
    words[moved * 4 + CHUNK.NEXT] = words[ref * 4 + CHUNK.NEXT]!
    words[this.word + STRIPE.LEAVING] = ref
    words[ref * 4 + CHUNK.NEXT] = 0
    if (previous !== 0) {
      words[previous * 4 + CHUNK.NEXT] = moved
    } else {
      this.#relink(words[moved * 4 + CHUNK.HASH]!, ref, moved)
      words[this.#slotsWord + slot] = moved
    }
    if (trap.at !== undefined) trap.at('moved')
    words[this.word + STRIPE.MOVING] = 0
    this.freeChain(STRIPE.LEAVING)
  }

  #relink(hash: number, from: number, to: number): void {
    this.#words[indexFind(this.#words, this.#indexWord, this.#mask, this.#bits, hash, from)] = to
  }

  /** What the home should become to have a free slot, or with `expiries` a column for them. */
  grownShape(expiries: boolean): number {
    const present = this.#words[this.word + STRIPE.HOME_SHAPE + this.#words[this.word + STRIPE.HOME]!]!
    const sign = expiries || present < 0 || this.#words[TABLE.EXPIRIES] !== 0 ? -1 : 1
    const { slots } = this.#home
    if (slots === 0) return sign * firstSlots(this.#parts, sign)
    return sign * (this.usedSlots >= slots ? slots + (slots >>> 1) : slots)
  }

  /** What a home should become of which most slots are empty; 0: it is right as it is. */
  shrunkShape(): number {
    const { slots, pages } = this.#home
    if (pages <= 1 || this.count * 3 > slots) return 0
    return Math.max(SLOTS_MIN, this.count + (this.count >>> 1)) * (this.hasExpiries ? -1 : 1)
  }

  /** Pages of a home of a shape. */
  pagesOf(shape: number): number {
    return planHome(this.#parts, shape, 0).pages
  }

  /**
   * Moves to a home of another shape. `run`: the first of the pages for it, drained by this thread; 0: find free ones. `false`
   * when there is no room, and nothing has changed.
   */
  rehome(shape: number, run: number): boolean {
    const words = this.#words
    const { pages } = this.#parts
    const other = 1 - words[this.word + STRIPE.HOME]!
    const homeWord = this.word + STRIPE.HOME_PAGE + other
    const count = this.pagesOf(shape)
    if (!(run === 0 ? pages.takeRun(count, homeWord) : pages.takeDrained(run, count, homeWord))) return false
    if (trap.at !== undefined) trap.at('grow')
    const home = planHome(this.#parts, shape, words[homeWord]!)
    const used = home.slots < this.#home.slots ? this.#fillSmaller(home) : this.#fillLarger(home)
    words[this.word + STRIPE.HOME_SHAPE + other] = shape
    words[this.word + STRIPE.HOME] = other
    if (trap.at !== undefined) trap.at('switch')
    if (used !== this.usedSlots) {
      words[this.word + STRIPE.USED_SLOTS] = used
      words[this.word + STRIPE.FREE_SLOT] = 0
    }
    words[this.word + STRIPE.GENERATION]!++
    if (trap.at !== undefined) trap.at('grown')
    pages.freeHome(this.word + STRIPE.HOME_PAGE + 1 - other)
    this.#settle()
    return true
  }

  /** Fills a home that has room for every slot of the present one; slots keep their numbers. Returns how many are used. */
  #fillLarger(home: ArenaHome): number {
    const { words, doubles } = this.#memory
    const used = this.usedSlots
    const policy = this.#makePolicy(home, true)
    if (this.#indexWord !== 0) policy.adopt(this.policy)
    words.copyWithin(home.slotsWord, this.#slotsWord, this.#slotsWord + used)
    if (this.#expiresDouble !== 0) {
      doubles.copyWithin(home.expiresDouble, this.#expiresDouble, this.#expiresDouble + used)
    } else if (home.expiresDouble !== 0) {
      doubles.fill(Number.POSITIVE_INFINITY, home.expiresDouble, home.expiresDouble + used)
    }
    this.#copyIndex(home)
    return used
  }

  /** From index to index, not from slots: the hashes lie there, and the items need not be touched. */
  #copyIndex(home: ArenaHome): void {
    const words = this.#words
    words.fill(0, home.indexWord, home.indexWord + (home.mask + 1) * 2)
    const end = this.#indexWord === 0 ? 0 : this.#indexWord + (this.#mask + 1) * 2
    for (let word = this.#indexWord; word < end; word += 2) {
      const ref = words[word + 1]!
      if (ref !== 0) indexInsert(words, home.indexWord, home.mask, this.#bits, words[word]!, ref)
    }
  }

  /**
   * Fills a home with fewer slots: items move down to the lowest ones, in order, so no cursor that comes down from above
   * misses one. The policy keeps its order, and forgets how often each was used.
   */
  #fillSmaller(home: ArenaHome): number {
    const { words, doubles } = this.#memory
    const moved = new Int32Array(this.usedSlots)
    let used = 0
    for (let slot = 0; slot < this.usedSlots; slot++) {
      const ref = this.itemOf(slot)
      if (ref <= 0) continue
      words[home.slotsWord + used] = ref
      if (home.expiresDouble !== 0) doubles[home.expiresDouble + used] = this.expiresAtMs(slot)
      this.#own(ref, used)
      moved[slot] = used++
    }
    words.fill(0, home.slotsWord + used, home.slotsWord + home.slots)
    if (trap.at !== undefined) trap.at('shrink')
    const policy = this.#makePolicy(home, true)
    for (let slot = this.policy.hotter(-1); slot >= 0; slot = this.policy.hotter(slot)) {
      const ref = this.itemOf(slot)
      policy.insert(moved[slot]!, remix(words[ref * 4 + CHUNK.HASH]!), this.policy.weightOf(slot), this.hasExpiry(ref))
    }
    this.#fillIndex(home, used)
    return used
  }

  /** Writes a slot's number into all chunks of an item. */
  #own(head: number, slot: number): void {
    const owner = this.ownerOf(slot)
    for (let ref = head; ref !== 0; ref = this.#words[ref * 4 + CHUNK.NEXT]!) this.#words[ref * 4 + CHUNK.OWNER] = owner
  }

  #fillIndex(home: ArenaHome, used: number): void {
    const words = this.#words
    words.fill(0, home.indexWord, home.indexWord + (home.mask + 1) * 2)
    for (let slot = 0; slot < used; slot++) {
      const ref = words[home.slotsWord + slot]!
      if (ref > 0) indexInsert(words, home.indexWord, home.mask, this.#bits, words[ref * 4 + CHUNK.HASH]!, ref)
    }
  }

  /**
   * Brings the stripe in order after its lock was inherited: what its holder was writing is dropped, and the index, the
   * policy's lists and the counts are made anew from the slots. What the policy knew of use is lost. May itself be
   * interrupted and done again.
   */
  repair(): void {
    const words = this.#words
    const { pages } = this.#parts
    pages.check()
    this.#settle()
    for (const chain of [STRIPE.PENDING, STRIPE.MOVING, STRIPE.LEAVING]) this.freeChain(chain)
    const touched = words[this.word + STRIPE.TOUCHING]! - 1
    if (touched >= 0 && this.#holds(touched)) {
      words[this.word + STRIPE.LEAVING] = this.itemOf(touched)
      words[this.#slotsWord + touched] = 0
      this.freeChain(STRIPE.LEAVING)
    }
    pages.freeHome(this.word + STRIPE.HOME_PAGE + 1 - words[this.word + STRIPE.HOME]!)
    if (this.#indexWord !== 0) this.#recount()
    words[this.word + STRIPE.TOUCHING] = 0
    words[this.word + STRIPE.GENERATION]!++
    this.#settle()
  }

  /** Whether a slot's item is its own: it may name a chunk that was freed before the slot was cleared. */
  #holds(slot: number): boolean {
    const ref = this.#indexWord === 0 ? 0 : this.itemOf(slot)
    return ref > 0 && this.#owns(ref)
  }

  #recount(): void {
    const words = this.#words
    const policy = this.#makePolicy(this.#home, true)
    words.fill(0, this.#indexWord, this.#indexWord + (this.#mask + 1) * 2)
    let count = 0
    let expiring = 0
    let units = 0
    const spaces = this.#spaces
    if (spaces > 1) words.fill(0, this.word + STRIPE.KEYS, this.word + STRIPE.KEYS + spaces * 2)
    this.#countExtra(-words[this.word + STRIPE.EXTRA_UNITS]!)
    words[this.word + STRIPE.FREE_SLOT] = 0
    words[this.word + STRIPE.USED_SLOTS] = Math.min(this.usedSlots, this.#home.slots)
    for (let slot = this.usedSlots - 1; slot >= 0; slot--) {
      const ref = this.itemOf(slot)
      if (!this.#holds(slot)) {
        this.giveSlot(slot)
        continue
      }
      const hash = words[ref * 4 + CHUNK.HASH]!
      const weight = unitsOf(this.#memory, ref)
      this.#own(ref, slot)
      count++
      units += weight
      if (this.hasExpiry(ref)) expiring++
      if (spaces > 1) {
        const at = this.word + STRIPE.KEYS + spaceOf(this.#memory, ref) * 2
        words[at]!++
        if (this.hasExpiry(ref)) words[at + 1]!++
      }
      const extra = extraUnitsOf(this.#memory, ref)
      if (extra !== 0) this.#countExtra(extra)
      indexInsert(words, this.#indexWord, this.#mask, this.#bits, hash, ref)
      policy.insert(slot, remix(hash), weight + extra, this.hasExpiry(ref))
    }
    words[this.word + STRIPE.COUNT] = count
    words[this.word + STRIPE.EXPIRING] = expiring
    words[this.word + STRIPE.LIVE_UNITS] = units
  }

  /** Forgets everything, home included: for a table whose pages are all given back at once. */
  forget(): void {
    const words = this.#words
    this.#countExtra(-words[this.word + STRIPE.EXTRA_UNITS]!)
    words.fill(0, this.word + STRIPE.COUNT, this.word + STRIPE.GENERATION)
    words.fill(0, this.word + STRIPE.KEYS, this.word + this.#memory.layout.stripeStride)
    words[this.word + STRIPE.GENERATION]!++
    this.#settle()
  }

  #settle(): void {
    const words = this.#words
    const which = words[this.word + STRIPE.HOME]!
    const page = words[this.word + STRIPE.HOME_PAGE + which]!
    this.#generation = words[this.word + STRIPE.GENERATION]!
    this.#home = planHome(this.#parts, words[this.word + STRIPE.HOME_SHAPE + which]!, page)
    this.#mask = this.#home.mask
    this.#indexWord = page === 0 ? 0 : this.#home.indexWord
    this.#slotsWord = this.#home.slotsWord
    this.#expiresDouble = page === 0 ? 0 : this.#home.expiresDouble
    if (page === 0) words[this.word + STRIPE.POLICY] = words[TABLE.POLICY]!
    else this.policy = this.#makePolicy(this.#home, false)
    if (words[this.word + STRIPE.POLICY] !== words[TABLE.POLICY]) this.#switchPolicy()
  }

  /** Another policy takes over the slots in the order in which the present one would let them go. */
  #switchPolicy(): void {
    const words = this.#words
    const old = this.policy
    const slots: number[] = []
    for (let slot = old.hotter(-1); slot >= 0; slot = old.hotter(slot)) slots.push(slot)
    const weights = slots.map((slot) => old.weightOf(slot))
    words[this.word + STRIPE.POLICY] = words[TABLE.POLICY]!
    this.policy = this.#makePolicy(this.#home, true)
    slots.forEach((slot, at) => {
      const ref = this.itemOf(slot)
      this.policy.insert(slot, remix(words[ref * 4 + CHUNK.HASH]!), weights[at]!, this.hasExpiry(ref))
    })
  }

  #makePolicy(home: ArenaHome, fresh: boolean): Policy {
    const { policies } = this.#parts
    const { buffer, bytes, words } = this.#memory
    const parts = this.#memory.layout.stripes
    if (fresh) bytes.fill(0, home.policyByte, home.policyByte + policyBytes(policies, home.slots, parts))
    const shape = { slots: home.slots, weighted: true, parts, entries: this }
    return policies[words[this.word + STRIPE.POLICY]!]!.create(shape, buffer, home.policyByte)
  }
}
