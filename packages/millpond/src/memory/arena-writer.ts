/**
 * Writes items. A value that fits the chunks of the one it replaces is written over it; any other is first written in full into
 * new chunks and then takes its place, so that a reader, or whoever comes after a killed writer, never sees half of it.
 */
import type { ArenaCore } from './arena-core.ts'
import { ArenaPlan, extraUnitsOf, isReference, keyLengthOf, valueLengthOf, writeItem } from './arena-item.ts'
import type { ArenaKeyReader } from './arena-key.ts'
import { CHUNK, KIND, PAGE, REFERENCE, STRIPE, TABLE } from './arena-layout.ts'
import type { ArenaStripe } from './arena-stripe.ts'
import { trap } from './arena-trap.ts'

/** How many slots each set looks at for expired entries: all have been seen after half as many sets as there are slots. */
const SWEEP_SLOTS = 2
const NOTHING = new Uint8Array(0)

export class ArenaWriter {
  readonly #core: ArenaCore
  readonly #words: Int32Array
  readonly #plan: ArenaPlan
  readonly #oldPlan: ArenaPlan
  // The value of the call in progress.
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #length = 0
  #flags = 0
  #expiresAtMs = 0
  /** -1: bytes; else the value is an object, whose number stands in for the flags, and this is its weight / 16. */
  #extraUnits = -1
  /** What stands behind the bytes, as a part of the value that lies elsewhere. */
  #tail: Uint8Array = NOTHING
  #tailLength = 0

  constructor(core: ArenaCore) {
    this.#core = core
    this.#words = core.memory.words
    this.#plan = new ArenaPlan(core.memory)
    this.#oldPlan = new ArenaPlan(core.memory)
  }

  /** The value that the next `set` writes. */
  aim(bytes: Uint8Array, start: number, end: number, flags: number, expiresAtMs: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#length = end - start
    this.#flags = flags | 0
    this.#expiresAtMs = expiresAtMs
    this.#extraUnits = -1
    this.#tailLength = 0
  }

  /** Bytes that end the value which `aim` has begun. */
  aimTail(tail: Uint8Array): void {
    this.#tail = tail
    this.#tailLength = tail.length
  }

  /** The next `set` writes a reference to an object. */
  aimReference(number: number, extraUnits: number, expiresAtMs: number): void {
    this.aim(this.#bytes, 0, 0, number, expiresAtMs)
    this.#extraUnits = extraUnits
  }

  /** Sets a key to the value. `false`: there was no room, and the key holds nothing. */
  set(stripe: ArenaStripe, key: ArenaKeyReader): boolean {
    const core = this.#core
    if (stripe.expiring > 0 || this.#words[TABLE.DEAD_SPACES] !== 0) core.sweep(stripe, SWEEP_SLOTS)
    core.room.advance(stripe)
    const columns =
      this.#expiresAtMs === Number.POSITIVE_INFINITY ||
      stripe.hasExpiries ||
      core.room.rehome(stripe, stripe.grownShape(true))
    const ref = core.findToWrite(stripe, key)
    this.#plan.make(key.length + this.#length + this.#tailLength)
    if (columns && ref !== 0 && this.#fits(ref)) this.#overwrite(stripe, ref)
    else if (columns && this.#store(stripe, key, ref)) return true
    else return this.#fail(stripe, key)
    return true
  }

  /** Nothing old may be served once a set was tried; but where nothing is removed for space, what is old stays. */
  #fail(stripe: ArenaStripe, key: ArenaKeyReader): boolean {
    const ref = this.#core.sparing ? 0 : this.#core.findToWrite(stripe, key)
    if (ref !== 0) this.#core.remove(stripe, stripe.slotOf(ref), 'replace')
    return false
  }

  #fits(ref: number): boolean {
    const { memory } = this.#core
    if (this.#extraUnits >= 0 || isReference(memory, ref)) return false
    if (this.#words[ref * 4 + CHUNK.VALUE_LENGTH] === this.#length + this.#tailLength) return true
    if (this.#words[ref * 4 + CHUNK.NEXT] === 0) {
      return this.#plan.code === this.#words[memory.pageWordOf(ref) + PAGE.KIND]! - KIND.CHUNKS + 1
    }
    this.#oldPlan.make(keyLengthOf(memory, ref) + valueLengthOf(memory, ref))
    return this.#plan.code === this.#oldPlan.code
  }

  #overwrite(stripe: ArenaStripe, ref: number): void {
    const { memory, removals } = this.#core
    const slot = stripe.slotOf(ref)
    removals.note(memory, ref, 'replace')
    this.#words[stripe.word + STRIPE.TOUCHING] = slot + 1
    this.#writeValue(ref, keyLengthOf(memory, ref))
    if (trap.at !== undefined) trap.at('overwrite')
    this.#words[ref * 4 + CHUNK.VALUE_LENGTH] = this.#length + this.#tailLength
    this.#words[ref * 4 + CHUNK.FLAGS] = this.#flags
    stripe.setExpiry(ref, this.#expiresAtMs)
    this.#core.use(stripe, ref)
    this.#words[stripe.word + STRIPE.TOUCHING] = 0
  }

  /** Writes over a part of an item's value, which must lie inside. */
  patch(stripe: ArenaStripe, ref: number, from: number, bytes: Uint8Array, flags: number): void {
    const { memory } = this.#core
    this.#words[stripe.word + STRIPE.TOUCHING] = stripe.slotOf(ref) + 1
    writeItem(memory, ref, keyLengthOf(memory, ref) + from, bytes, 0, bytes.length)
    this.#words[ref * 4 + CHUNK.FLAGS] = flags | 0
    this.#core.use(stripe, ref)
    this.#words[stripe.word + STRIPE.TOUCHING] = 0
  }

  #store(stripe: ArenaStripe, key: ArenaKeyReader, ref: number): boolean {
    const { memory, removals } = this.#core
    const slot = ref === 0 ? this.#takeSlot(stripe, key.hash) : stripe.slotOf(ref)
    if (slot < 0) return false
    stripe.reserved = slot
    const built = this.#build(stripe, slot, key.hash)
    stripe.reserved = -1
    const old = stripe.itemOf(slot)
    if (!built) {
      stripe.freeChain(STRIPE.PENDING)
      if (old <= 0) stripe.giveSlot(slot)
      return false
    }
    const head = this.#write(stripe, key)
    const units = this.#plan.units + extraUnitsOf(memory, head)
    if (old > 0) {
      this.#core.inheritUse(old, head)
      removals.note(memory, old, 'replace')
      stripe.replace(slot, key.hash, units, this.#expiresAtMs)
    } else {
      stripe.insert(slot, key.hash, units, this.#expiresAtMs)
    }
    return true
  }

  #takeSlot(stripe: ArenaStripe, hash: number): number {
    const { room } = this.#core
    let slot = stripe.takeSlot()
    if (slot < 0 && room.rehomeSoon(stripe, stripe.grownShape(false))) slot = stripe.takeSlot()
    // No room to grow: as many items as now must do.
    while (slot < 0 && room.evictFrom(stripe, hash, this.#plan.units)) slot = stripe.takeSlot()
    // This stripe has nothing to give: others make room for it to grow.
    while (slot < 0 && room.evict(stripe, hash, this.#plan.units)) {
      if (room.rehomeSoon(stripe, stripe.grownShape(false))) slot = stripe.takeSlot()
    }
    return slot
  }

  /** Gathers the chunks of the new item as the stripe's pending chain, from the last to the first. */
  #build(stripe: ArenaStripe, slot: number, hash: number): boolean {
    const { pages, quarters, last } = this.#plan
    const { classes } = this.#core.memory
    const owner = stripe.ownerOf(slot)
    let built = last < 0 || this.#chunk(stripe, last, owner, hash)
    for (let left = quarters; built && left > 0; left--) built = this.#chunk(stripe, classes.quarter, owner, hash)
    for (let left = pages; built && left > 0; left--) built = this.#chunk(stripe, classes.quarter + 1, owner, hash)
    return built
  }

  #chunk(stripe: ArenaStripe, classNumber: number, owner: number, hash: number): boolean {
    const { pages, room } = this.#core
    while (pages.allocate(classNumber, owner, stripe.word, stripe.word + STRIPE.PENDING) === 0) {
      if (!room.make(stripe, hash, this.#plan.units)) return false
    }
    if (trap.at !== undefined) trap.at('allocated')
    return true
  }

  #write(stripe: ArenaStripe, key: ArenaKeyReader): number {
    const { memory } = this.#core
    const head = this.#words[stripe.word + STRIPE.PENDING]!
    const at = head * 4
    this.#words[at + CHUNK.HASH] = key.hash
    this.#words[at + CHUNK.KEY_LENGTH] = this.#extraUnits < 0 ? key.word : key.word | REFERENCE
    this.#words[at + CHUNK.VALUE_LENGTH] = this.#extraUnits < 0 ? this.#length + this.#tailLength : this.#extraUnits
    this.#words[at + CHUNK.FLAGS] = this.#flags
    this.#core.firstUse(head)
    writeItem(memory, head, 0, key.bytes, key.start, key.length)
    if (trap.at !== undefined) trap.at('write')
    this.#writeValue(head, key.length)
    return head
  }

  #writeValue(ref: number, offset: number): void {
    const { memory } = this.#core
    writeItem(memory, ref, offset, this.#bytes, this.#start, this.#length)
    if (this.#tailLength > 0) writeItem(memory, ref, offset + this.#length, this.#tail, 0, this.#tailLength)
  }
}
