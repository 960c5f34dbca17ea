/**
 * The slots of a stripe: which of them holds which item, found by its key, and when it expires. Every method is called by the
 * holder of the stripe's lock.
 *
 * A slot keeps its number as long as its item lives, whatever moves: cursors and policies count on it.
 */
import { remix } from './arena-hash.ts'
import type { ArenaHome, ArenaParts } from './arena-home.ts'
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

export abstract class ArenaSlots implements PolicyEntries {
  /** First word of this stripe's words. */
  readonly word: number
  readonly number: number
  policy!: Policy
  /** The slot that a set in progress will use, whatever happens meanwhile to the item that it holds; else -1. */
  reserved = -1
  /** Whether this thread keeps its lock between calls: see `ArenaCore.hold`. */
  held = false
  protected readonly parts: ArenaParts
  protected readonly memory: ArenaMemory
  protected readonly words: Int32Array
  protected readonly bits: number
  protected readonly spaces: number
  protected home!: ArenaHome
  protected generation: number = -1
  // The hot parts of the home, flat.
  protected mask: number = 0
  protected indexWord: number = 0
  protected slotsWord: number = 0
  protected expiresDouble: number = 0

  constructor(parts: ArenaParts, number: number) {
    this.parts = parts
    this.memory = parts.memory
    this.words = parts.memory.words
    this.bits = parts.memory.layout.stripeBits
    this.spaces = parts.memory.layout.spaces
    this.number = number
    this.word = parts.memory.stripeWord(number)
  }

  /** Follows the home that the words of the stripe name now. */
  protected abstract settle(): void

  get count(): number {
    return this.words[this.word + STRIPE.COUNT]!
  }

  /** Bytes / 16 of its chunks. What objects weigh is not in it: one of them would make a stripe pay for all others. */
  get units(): number {
    return this.words[this.word + STRIPE.LIVE_UNITS]!
  }

  /** Whether it has a home. */
  get isMade(): boolean {
    return this.indexWord !== 0
  }

  /** Items of a space. */
  countOf(space: number): number {
    return this.spaces === 1 ? this.count : this.words[this.word + STRIPE.KEYS + space * 2]!
  }

  /** Items of a space that have an expiry. */
  expiringOf(space: number): number {
    return this.spaces === 1 ? this.expiring : this.words[this.word + STRIPE.KEYS + space * 2 + 1]!
  }

  /** Slots below this may hold items. */
  get usedSlots(): number {
    return this.words[this.word + STRIPE.USED_SLOTS]!
  }

  get expiring(): number {
    return this.words[this.word + STRIPE.EXPIRING]!
  }

  /** Follows a home that another thread may have moved. First call after the lock was taken. */
  enter(): void {
    if (this.words[this.word + STRIPE.GENERATION] !== this.generation) this.settle()
  }

  /** The item with this key; 0 when there is none. */
  find(key: ArenaKeyReader): number {
    const { hash } = key
    const words = this.words
    const mask = this.mask
    const base = this.indexWord
    if (base === 0) return 0
    for (let place = (hash >>> this.bits) & mask; ; place = (place + 1) & mask) {
      const ref = words[base + place * 2 + 1]!
      if (ref === 0) return 0
      if (words[base + place * 2] === hash && hasKey(this.memory, ref, key)) return ref
    }
  }

  /** The first word that a look for this hash reads. */
  indexWordOf(hash: number): number {
    return this.words[this.indexWord + ((hash >>> this.bits) & this.mask) * 2]!
  }

  /** Most likely the item with this hash, asked without the lock; 0: it is not known. */
  guess(hash: number): number {
    const words = this.words
    const mask = this.mask
    const base = this.indexWord
    if (base === 0) return 0
    let place = (hash >>> this.bits) & mask
    for (let left = GUESSES; left > 0; left--, place = (place + 1) & mask) {
      const ref = words[base + place * 2 + 1]!
      if (ref === 0 || words[base + place * 2] === hash) return ref
    }
    return 0
  }

  slotOf(ref: number): number {
    return (this.words[ref * 4 + CHUNK.OWNER]! - 1) >>> this.bits
  }

  /** What stands in the chunks of a slot's item. */
  ownerOf(slot: number): number {
    return ((slot << this.bits) | this.number) + 1
  }

  /** The item of a slot; 0 or less when it holds none. */
  itemOf(slot: number): number {
    return this.words[this.slotsWord + slot]!
  }

  /** When the item of a slot expires; Infinity: never. There must be a column for it. */
  expiresAtMs(slot: number): number {
    return this.memory.doubles[this.expiresDouble + slot]!
  }

  frequency(slot: number): number {
    const ref = this.itemOf(slot)
    return this.memory.headBytes < HEAD_BYTES_USE || ref <= 0 ? 0 : frequencyOf(this.words[ref * 4 + CHUNK_USE]!)
  }

  hasExpiry(ref: number): boolean {
    return this.words[ref * 4 + CHUNK.KEY_LENGTH]! < 0
  }

  /** Whether an item is past its time. */
  isExpired(ref: number, nowMs: number): boolean {
    return this.hasExpiry(ref) && this.expiresAtMs(this.slotOf(ref)) <= nowMs
  }

  /** Whether the item of a slot may be past its time: a look at the column of expiries only. */
  mayHaveExpired(slot: number, nowMs: number): boolean {
    return this.expiresDouble !== 0 && this.memory.doubles[this.expiresDouble + slot]! <= nowMs
  }

  /** Sets or, with Infinity, takes away an item's expiry. There must be a column for it. */
  setExpiry(ref: number, expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY && !this.hasExpiry(ref)) return
    if (this.#putExpiry(ref, expiresAtMs)) this.policy.expires?.(this.slotOf(ref), this.hasExpiry(ref))
  }

  /** As `setExpiry`, before the policy knows the slot or after it has let go of it. Returns whether there is one now and was none, or the reverse. */
  #putExpiry(ref: number, expiresAtMs: number): boolean {
    const words = this.words
    const had = this.hasExpiry(ref)
    const has = expiresAtMs !== Number.POSITIVE_INFINITY
    if (this.expiresDouble !== 0) this.memory.doubles[this.expiresDouble + this.slotOf(ref)] = expiresAtMs
    if (had === has) return false
    words[ref * 4 + CHUNK.KEY_LENGTH]! ^= HAS_EXPIRY
    words[this.word + STRIPE.EXPIRING]! += has ? 1 : -1
    if (this.spaces > 1) {
      words[this.word + STRIPE.KEYS + spaceOf(this.memory, ref) * 2 + 1]! += has ? 1 : -1
    }
    return true
  }

  /** An item has come (1) or leaves (-1): what is counted by space, and what its object weighs. */
  #countItem(ref: number, change: 1 | -1): void {
    const words = this.words
    words[this.word + STRIPE.COUNT]! += change
    if (this.spaces > 1) words[this.word + STRIPE.KEYS + spaceOf(this.memory, ref) * 2]! += change
    const extra = extraUnitsOf(this.memory, ref)
    if (extra !== 0) this.countExtra(extra * change)
  }

  protected countExtra(units: number): void {
    this.words[this.word + STRIPE.EXTRA_UNITS]! += units
    // The holders of other stripes count there, too.
    Atomics.add(this.words, TABLE.EXTRA_UNITS, units)
  }

  /** The object that an item refers to weighs something else now: bytes / 16. */
  weigh(ref: number, extraUnits: number): void {
    this.countExtra(extraUnits - this.words[ref * 4 + CHUNK.VALUE_LENGTH]!)
    this.words[ref * 4 + CHUNK.VALUE_LENGTH] = extraUnits
    this.policy.reweigh(this.slotOf(ref), unitsOf(this.memory, ref) + extraUnits)
  }

  /** Whether expiries can be set; if not, `grow` with `expiries` makes the column. */
  get hasExpiries(): boolean {
    return this.expiresDouble !== 0
  }

  /** A slot without an item, -1 when all hold one. */
  takeSlot(): number {
    const words = this.words
    const free = words[this.word + STRIPE.FREE_SLOT]!
    if (free !== 0) {
      words[this.word + STRIPE.FREE_SLOT] = -words[this.slotsWord + free - 1]! - 1
      return free - 1
    }
    if (this.indexWord === 0 || this.usedSlots >= this.home.slots) return -1
    words[this.slotsWord + this.usedSlots] = 0
    return words[this.word + STRIPE.USED_SLOTS]!++
  }

  giveSlot(slot: number): void {
    this.words[this.slotsWord + slot] = -this.words[this.word + STRIPE.FREE_SLOT]! - 1
    this.words[this.word + STRIPE.FREE_SLOT] = slot + 1
  }

  /** Makes the pending chain the item of a slot that was taken. */
  insert(slot: number, hash: number, units: number, expiresAtMs: number): void {
    const words = this.words
    const head = words[this.word + STRIPE.PENDING]!
    words[this.word + STRIPE.TOUCHING] = slot + 1
    indexInsert(words, this.indexWord, this.mask, this.bits, hash, head)
    if (trap.at !== undefined) trap.at('insert')
    words[this.slotsWord + slot] = head
    words[this.word + STRIPE.PENDING] = 0
    this.#countItem(head, 1)
    this.#putExpiry(head, expiresAtMs)
    this.policy.insert(slot, remix(hash), units, expiresAtMs !== Number.POSITIVE_INFINITY)
    if (trap.at !== undefined) trap.at('publish')
    words[this.word + STRIPE.TOUCHING] = 0
  }

  /** Makes the pending chain the item of a slot that holds another one, which is freed. */
  replace(slot: number, hash: number, units: number, expiresAtMs: number): void {
    const words = this.words
    const head = words[this.word + STRIPE.PENDING]!
    const old = this.itemOf(slot)
    words[this.word + STRIPE.TOUCHING] = slot + 1
    this.#relink(hash, old, head)
    words[this.word + STRIPE.LEAVING] = old
    if (trap.at !== undefined) trap.at('replace')
    words[this.slotsWord + slot] = head
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
    const words = this.words
    const ref = this.itemOf(slot)
    words[this.word + STRIPE.TOUCHING] = slot + 1
    if (!left) this.policy.remove(slot)
    this.#putExpiry(ref, Number.POSITIVE_INFINITY)
    this.#countItem(ref, -1)
    indexRemove(words, this.indexWord, this.mask, this.bits, words[ref * 4 + CHUNK.HASH]!, ref)
    if (trap.at !== undefined) trap.at('remove')
    words[this.word + STRIPE.LEAVING] = ref
    words[this.slotsWord + slot] = 0
    this.freeChain(STRIPE.LEAVING)
    if (slot !== this.reserved) this.giveSlot(slot)
    words[this.word + STRIPE.TOUCHING] = 0
  }

  /** Frees the chain that a word of the stripe names, as far as it is of this stripe. */
  freeChain(chain: number): void {
    const words = this.words
    const chainWord = this.word + chain
    while (words[chainWord] !== 0) {
      if (this.owns(words[chainWord]!)) this.parts.pages.freeFirst(this.word, chainWord)
      else words[chainWord] = 0
    }
  }

  /** Whether a chunk belongs to an item of this stripe. Nobody else can give or take such a chunk while we hold the lock. */
  protected owns(ref: number): boolean {
    const owner = this.words[ref * 4 + CHUNK.OWNER]!
    return owner !== 0 && ((owner - 1) & (this.memory.layout.stripes - 1)) === this.number
  }

  /**
   * Moves one chunk of an item to another place, out of a page that is emptied. `false` when that cannot be done now:
   * no room, or a chunk of an item that is being written.
   */
  move(ref: number, classNumber: number): boolean {
    const words = this.words
    const slot = this.slotOf(ref)
    const previous = this.#before(slot, ref)
    if (previous < 0) return false
    words[this.word + STRIPE.TOUCHING] = slot + 1
    const moved = this.parts.pages.allocate(classNumber, words[ref * 4]!, this.word, this.word + STRIPE.MOVING)
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
    for (let at = this.itemOf(slot); at !== ref; at = this.words[at * 4 + CHUNK.NEXT]!) {
      if (at <= 0) return -1
      previous = at
    }
    return previous
  }

  /** At every step, each chunk is reached from the slot, from `MOVING` or from `LEAVING`. */
  #moveTo(ref: number, moved: number, previous: number, slot: number, classNumber: number): void {
    const words = this.words
    const { bytes, classes } = this.memory
    bytes.copyWithin(moved * 16 + 8, ref * 16 + 8, ref * 16 + classes.sizes[classNumber]!)
    if (trap.at !== undefined) trap.at('move')
    words[moved * 4 + CHUNK.NEXT] = words[ref * 4 + CHUNK.NEXT]!
    words[this.word + STRIPE.LEAVING] = ref
    words[ref * 4 + CHUNK.NEXT] = 0
    if (previous !== 0) {
      words[previous * 4 + CHUNK.NEXT] = moved
    } else {
      this.#relink(words[moved * 4 + CHUNK.HASH]!, ref, moved)
      words[this.slotsWord + slot] = moved
    }
    if (trap.at !== undefined) trap.at('moved')
    words[this.word + STRIPE.MOVING] = 0
    this.freeChain(STRIPE.LEAVING)
  }

  #relink(hash: number, from: number, to: number): void {
    this.words[indexFind(this.words, this.indexWord, this.mask, this.bits, hash, from)] = to
  }
}
