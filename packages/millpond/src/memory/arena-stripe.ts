/**
 * A part of an arena-table with an index, a policy and a lock of its own: keys belong to a stripe by their hash. What is said of
 * its slots (`ArenaSlots`) lies in its home, which grows, shrinks and is made anew here.
 *
 * The index, the slots, the expiries and the policy's state lie side by side in a run of pages, the home. A stripe that has
 * grown moves to a larger one; a stripe is small, so that takes no longer in a large table than in a small one.
 */
import { remix } from './arena-hash.ts'
import { type ArenaHome, firstSlots, moreSlots, planHome, policyBytes, SLOTS_MIN } from './arena-home.ts'
import { indexInsert } from './arena-index.ts'
import { extraUnitsOf, spaceOf, unitsOf } from './arena-item.ts'
import { CHUNK, STRIPE, TABLE } from './arena-layout.ts'
import { ArenaSlots } from './arena-slots.ts'
import { trap } from './arena-trap.ts'
import type { Policy } from './policy.ts'

export class ArenaStripe extends ArenaSlots {
  /** What the home should become to have a free slot, or with `expiries` a column for them. */
  grownShape(expiries: boolean): number {
    const present = this.words[this.word + STRIPE.HOME_SHAPE + this.words[this.word + STRIPE.HOME]!]!
    const sign = expiries || present < 0 || this.words[TABLE.EXPIRIES] !== 0 ? -1 : 1
    const { slots } = this.home
    if (slots === 0) return sign * firstSlots(this.parts, sign)
    return sign * (this.usedSlots >= slots ? moreSlots(slots) : slots)
  }

  /** What a home should become of which most slots are empty; 0: it is right as it is. */
  shrunkShape(): number {
    const { slots, pages } = this.home
    if (pages <= 1 || this.count * 3 > slots) return 0
    return Math.max(SLOTS_MIN, this.count + (this.count >>> 1)) * (this.hasExpiries ? -1 : 1)
  }

  /** Pages of a home of a shape. */
  pagesOf(shape: number): number {
    return planHome(this.parts, shape, 0).pages
  }

  /**
   * Moves to a home of another shape. `run`: the first of the pages for it, drained by this thread; 0: find free ones. `false`
   * when there is no room, and nothing has changed.
   */
  rehome(shape: number, run: number): boolean {
    const words = this.words
    const { pages } = this.parts
    const other = 1 - words[this.word + STRIPE.HOME]!
    const homeWord = this.word + STRIPE.HOME_PAGE + other
    const count = this.pagesOf(shape)
    if (!(run === 0 ? pages.takeRun(count, homeWord) : pages.takeDrained(run, count, homeWord))) return false
    if (trap.at !== undefined) trap.at('grow')
    const home = planHome(this.parts, shape, words[homeWord]!)
    const used = home.slots < this.home.slots ? this.#fillSmaller(home) : this.#fillLarger(home)
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
    this.settle()
    return true
  }

  /** Fills a home that has room for every slot of the present one; slots keep their numbers. Returns how many are used. */
  #fillLarger(home: ArenaHome): number {
    const { words, doubles } = this.memory
    const used = this.usedSlots
    const policy = this.#makePolicy(home, true)
    if (this.indexWord !== 0) policy.adopt(this.policy)
    words.copyWithin(home.slotsWord, this.slotsWord, this.slotsWord + used)
    if (this.expiresDouble !== 0) {
      doubles.copyWithin(home.expiresDouble, this.expiresDouble, this.expiresDouble + used)
    } else if (home.expiresDouble !== 0) {
      doubles.fill(Number.POSITIVE_INFINITY, home.expiresDouble, home.expiresDouble + used)
    }
    this.#copyIndex(home)
    return used
  }

  /** From index to index, not from slots: the hashes lie there, and the items need not be touched. */
  #copyIndex(home: ArenaHome): void {
    const words = this.words
    words.fill(0, home.indexWord, home.indexWord + (home.mask + 1) * 2)
    const end = this.indexWord === 0 ? 0 : this.indexWord + (this.mask + 1) * 2
    for (let word = this.indexWord; word < end; word += 2) {
      const ref = words[word + 1]!
      if (ref !== 0) indexInsert(words, home.indexWord, home.mask, this.bits, words[word]!, ref)
    }
  }

  /**
   * Fills a home with fewer slots: items move down to the lowest ones, in order, so no cursor that comes down from above
   * misses one. The policy keeps its order, and forgets how often each was used.
   */
  #fillSmaller(home: ArenaHome): number {
    const { words, doubles } = this.memory
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
    for (let ref = head; ref !== 0; ref = this.words[ref * 4 + CHUNK.NEXT]!) this.words[ref * 4 + CHUNK.OWNER] = owner
  }

  #fillIndex(home: ArenaHome, used: number): void {
    const words = this.words
    words.fill(0, home.indexWord, home.indexWord + (home.mask + 1) * 2)
    for (let slot = 0; slot < used; slot++) {
      const ref = words[home.slotsWord + slot]!
      if (ref > 0) indexInsert(words, home.indexWord, home.mask, this.bits, words[ref * 4 + CHUNK.HASH]!, ref)
    }
  }

  /**
   * Brings the stripe in order after its lock was inherited: what its holder was writing is dropped, and the index, the
   * policy's lists and the counts are made anew from the slots. What the policy knew of use is lost. May itself be
   * interrupted and done again.
   */
  repair(): void {
    const words = this.words
    const { pages } = this.parts
    pages.check()
    this.settle()
    for (const chain of [STRIPE.PENDING, STRIPE.MOVING, STRIPE.LEAVING]) this.freeChain(chain)
    const touched = words[this.word + STRIPE.TOUCHING]! - 1
    if (touched >= 0 && this.#holds(touched)) {
      words[this.word + STRIPE.LEAVING] = this.itemOf(touched)
      words[this.slotsWord + touched] = 0
      this.freeChain(STRIPE.LEAVING)
    }
    pages.freeHome(this.word + STRIPE.HOME_PAGE + 1 - words[this.word + STRIPE.HOME]!)
    if (this.indexWord !== 0) this.#recount()
    words[this.word + STRIPE.TOUCHING] = 0
    words[this.word + STRIPE.GENERATION]!++
    this.settle()
  }

  /** Whether a slot's item is its own: it may name a chunk that was freed before the slot was cleared. */
  #holds(slot: number): boolean {
    const ref = this.indexWord === 0 ? 0 : this.itemOf(slot)
    return ref > 0 && this.owns(ref)
  }

  #recount(): void {
    const words = this.words
    const policy = this.#makePolicy(this.home, true)
    words.fill(0, this.indexWord, this.indexWord + (this.mask + 1) * 2)
    let count = 0
    let expiring = 0
    let units = 0
    const spaces = this.spaces
    if (spaces > 1) words.fill(0, this.word + STRIPE.KEYS, this.word + STRIPE.KEYS + spaces * 2)
    this.countExtra(-words[this.word + STRIPE.EXTRA_UNITS]!)
    words[this.word + STRIPE.FREE_SLOT] = 0
    words[this.word + STRIPE.USED_SLOTS] = Math.min(this.usedSlots, this.home.slots)
    for (let slot = this.usedSlots - 1; slot >= 0; slot--) {
      const ref = this.itemOf(slot)
      if (!this.#holds(slot)) {
        this.giveSlot(slot)
        continue
      }
      const hash = words[ref * 4 + CHUNK.HASH]!
      const weight = unitsOf(this.memory, ref)
      this.#own(ref, slot)
      count++
      units += weight
      if (this.hasExpiry(ref)) expiring++
      if (spaces > 1) {
        const at = this.word + STRIPE.KEYS + spaceOf(this.memory, ref) * 2
        words[at]!++
        if (this.hasExpiry(ref)) words[at + 1]!++
      }
      const extra = extraUnitsOf(this.memory, ref)
      if (extra !== 0) this.countExtra(extra)
      indexInsert(words, this.indexWord, this.mask, this.bits, hash, ref)
      policy.insert(slot, remix(hash), weight + extra, this.hasExpiry(ref))
    }
    words[this.word + STRIPE.COUNT] = count
    words[this.word + STRIPE.EXPIRING] = expiring
    words[this.word + STRIPE.LIVE_UNITS] = units
  }

  /** Forgets everything, home included: for a table whose pages are all given back at once. */
  forget(): void {
    const words = this.words
    this.countExtra(-words[this.word + STRIPE.EXTRA_UNITS]!)
    words.fill(0, this.word + STRIPE.COUNT, this.word + STRIPE.GENERATION)
    words.fill(0, this.word + STRIPE.KEYS, this.word + this.memory.layout.stripeStride)
    words[this.word + STRIPE.GENERATION]!++
    this.settle()
  }

  protected override settle(): void {
    const words = this.words
    const which = words[this.word + STRIPE.HOME]!
    const page = words[this.word + STRIPE.HOME_PAGE + which]!
    this.generation = words[this.word + STRIPE.GENERATION]!
    this.home = planHome(this.parts, words[this.word + STRIPE.HOME_SHAPE + which]!, page)
    this.mask = this.home.mask
    this.indexWord = page === 0 ? 0 : this.home.indexWord
    this.slotsWord = this.home.slotsWord
    this.expiresDouble = page === 0 ? 0 : this.home.expiresDouble
    if (page === 0) words[this.word + STRIPE.POLICY] = words[TABLE.POLICY]!
    else this.policy = this.#makePolicy(this.home, false)
    if (words[this.word + STRIPE.POLICY] !== words[TABLE.POLICY]) this.#switchPolicy()
  }

  /** Another policy takes over the slots in the order in which the present one would let them go. */
  #switchPolicy(): void {
    const words = this.words
    const old = this.policy
    const slots: number[] = []
    for (let slot = old.hotter(-1); slot >= 0; slot = old.hotter(slot)) slots.push(slot)
    const weights = slots.map((slot) => old.weightOf(slot))
    words[this.word + STRIPE.POLICY] = words[TABLE.POLICY]!
    this.policy = this.#makePolicy(this.home, true)
    slots.forEach((slot, at) => {
      const ref = this.itemOf(slot)
      this.policy.insert(slot, remix(words[ref * 4 + CHUNK.HASH]!), weights[at]!, this.hasExpiry(ref))
    })
  }

  #makePolicy(home: ArenaHome, fresh: boolean): Policy {
    const { policies } = this.parts
    const { buffer, bytes, words } = this.memory
    const parts = this.memory.layout.stripes
    if (fresh) bytes.fill(0, home.policyByte, home.policyByte + policyBytes(policies, home.slots, parts))
    const shape = { slots: home.slots, weighted: true, parts, entries: this }
    return policies[words[this.word + STRIPE.POLICY]!]!.create(shape, buffer, home.policyByte)
  }
}
