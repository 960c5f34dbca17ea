/**
 * One thread's way into an arena: takes a stripe, with its lock where the arena is shared, gives it back, and removes items
 * in between. Whoever gets a stripe from here finds it in order, even if the thread that had it before was killed.
 */
import { ClosedError, OptionError } from '../core/errors.ts'
import type { ArenaClock } from './arena-clock.ts'
import { spaceOf } from './arena-item.ts'
import type { ArenaKeyReader } from './arena-key.ts'
import { CHUNK_USE, HEAD_BYTES_USE, STRIPE, TABLE } from './arena-layout.ts'
import { ArenaLocks, ClosedLocks } from './arena-lock.ts'
import { ArenaMembers } from './arena-members.ts'
import type { ArenaMemory } from './arena-memory.ts'
import { ArenaPages } from './arena-pages.ts'
import type { ArenaRemovals } from './arena-removals.ts'
import { ArenaRoom, type RoomKeeper } from './arena-room.ts'
import { ArenaStripe } from './arena-stripe.ts'
import { FREQUENCY_FIRST, type FrequencyPace, frequencyWord, usedOnce } from './arena-use.ts'
import type { PolicyFactory, RemovalReason } from './policy.ts'

export class ArenaCore implements RoomKeeper {
  readonly memory: ArenaMemory
  readonly pages: ArenaPages
  readonly stripes: readonly ArenaStripe[]
  readonly room: ArenaRoom
  readonly removals: ArenaRemovals
  readonly clock: ArenaClock
  /** How counters of use grow and fade; `undefined`: the second of the last use is kept in their place. */
  pace: FrequencyPace | undefined
  /** Whether what has expired is to stay where it is, though nobody is served it. */
  keepsExpired = false
  /** Whether reading counts as no use. */
  ignoresUse = false
  readonly #policies: readonly PolicyFactory[]
  readonly #keepsUses: boolean
  readonly #members: ArenaMembers
  readonly #stripeMask: number
  /** `undefined` while one thread has the arena for itself: it pays for no locks. */
  #locks: ArenaLocks | undefined
  readonly #held: ArenaStripe[] = []

  constructor(memory: ArenaMemory, policies: readonly PolicyFactory[], clock: ArenaClock, removals: ArenaRemovals) {
    this.memory = memory
    this.clock = clock
    this.removals = removals
    this.pages = new ArenaPages(memory)
    this.#policies = policies
    this.#keepsUses = memory.headBytes === HEAD_BYTES_USE
    const parts = { memory, pages: this.pages, policies }
    this.stripes = Array.from({ length: memory.layout.stripes }, (_, number) => new ArenaStripe(parts, number))
    this.#stripeMask = memory.layout.stripes - 1
    this.#members = new ArenaMembers(memory.words)
    this.room = new ArenaRoom(this)
  }

  get shared(): boolean {
    return this.#locks !== undefined
  }

  /** This thread's number among those that share the arena. */
  get member(): number {
    return this.#members.self || 1
  }

  get sparing(): boolean {
    return this.#policies[this.memory.words[TABLE.POLICY]!]!.sparing === true
  }

  /** From now on another policy decides who leaves. Each stripe follows when it is next entered. */
  usePolicy(name: string): void {
    const number = this.#policies.findIndex((policy) => policy.name === name)
    if (number < 0) throw new OptionError('policy', name, 'give the name of one of `policies`')
    this.memory.words[TABLE.POLICY] = number
    for (const stripe of this.stripes) {
      this.enter(stripe)
      this.memory.words[stripe.word + STRIPE.GENERATION]!++
      this.leave(stripe)
    }
  }

  /** From now on takes locks. */
  join(): void {
    if (this.#locks instanceof ClosedLocks) throw new ClosedError('the arena-table')
    if (this.#locks !== undefined) return
    if (!this.#members.join()) {
      throw new OptionError('handle', 'a table', 'too many threads have it open: call close() in those that are done')
    }
    this.room.abandon()
    this.#locks = new ArenaLocks(this.memory.words, this.#members)
    this.pages.guard(this.#locks)
    this.undrainDead()
  }

  /** Stops using the arena. */
  part(): void {
    if (this.#locks instanceof ClosedLocks) return
    this.room.abandon()
    this.#members.leave()
    this.#locks = new ClosedLocks(this.memory.words, this.#members)
  }

  /** Gives pages out again that a thread was emptying when it ended. */
  undrainDead(): void {
    if (this.#locks !== undefined) this.pages.undrainDead((member) => this.#members.isDead(member))
  }

  reportExit(threadId: number): void {
    this.#members.reportExit(threadId)
  }

  /** Takes the stripe that a key belongs to. */
  enterOf(hash: number): ArenaStripe {
    const stripe = this.stripes[hash & this.#stripeMask]!
    this.enter(stripe)
    return stripe
  }

  enter(stripe: ArenaStripe): void {
    if (this.#locks !== undefined && !stripe.held && this.#locks.take(stripe.word + STRIPE.LOCK)) this.#repair(stripe)
    stripe.enter()
  }

  tryEnter(stripe: ArenaStripe): boolean {
    const taken = this.#locks === undefined || stripe.held ? 1 : this.#locks.try(stripe.word + STRIPE.LOCK)
    if (taken === 0) return false
    if (taken === 2) this.#repair(stripe)
    stripe.enter()
    return true
  }

  leave(stripe: ArenaStripe): void {
    if (this.#locks !== undefined && !stripe.held) this.#locks.give(stripe.word + STRIPE.LOCK)
  }

  /** Keeps the lock of a stripe between calls, until `release`. Several are taken in the order of their numbers. */
  hold(number: number): void {
    const stripe = this.stripes[number]!
    if (this.#locks === undefined || stripe.held) return
    this.enter(stripe)
    stripe.held = true
    this.#held.push(stripe)
  }

  release(): void {
    for (const stripe of this.#held) {
      stripe.held = false
      this.leave(stripe)
    }
    this.#held.length = 0
  }

  /** Whether another member can provably never do anything again. */
  isGone(member: number): boolean {
    return this.#members.isDead(member)
  }

  /** The stripe of a key. */
  stripeOf(hash: number): number {
    return hash & this.#stripeMask
  }

  /** Leaves the stripe of a call at its end, and tells of what the call removed. */
  exit(stripe: ArenaStripe): void {
    this.leave(stripe)
    this.removals.tell()
  }

  /** The item of a key that has not expired; 0 when there is none. One that has expired is removed, unless that must wait. */
  find(stripe: ArenaStripe, key: ArenaKeyReader): number {
    const ref = stripe.find(key)
    if (ref === 0 || !stripe.hasExpiry(ref) || !stripe.isExpired(ref, this.clock.nowMs())) return ref
    if (!this.keepsExpired) this.remove(stripe, stripe.slotOf(ref), 'expire')
    return 0
  }

  /** As `find`, for who puts something in its place: what has expired is gone. */
  findToWrite(stripe: ArenaStripe, key: ArenaKeyReader): number {
    const ref = this.find(stripe, key)
    if (ref !== 0 || !this.keepsExpired) return ref
    const expired = stripe.find(key)
    if (expired !== 0) this.remove(stripe, stripe.slotOf(expired), 'expire')
    return 0
  }

  /** An item was used. */
  use(stripe: ArenaStripe, ref: number): void {
    if (this.ignoresUse) return
    stripe.policy.hit(stripe.slotOf(ref))
    if (this.#keepsUses) this.#noteUse(ref)
  }

  #noteUse(ref: number): void {
    const at = ref * 4 + CHUNK_USE
    const { words } = this.memory
    const nowMs = this.clock.nowMs()
    words[at] = this.pace ? usedOnce(words[at]!, nowMs, this.pace, Math.random()) : Math.floor(nowMs / 1000)
  }

  /** What is noted of a new item's use. */
  firstUse(ref: number): void {
    if (!this.#keepsUses) return
    const nowMs = this.clock.nowMs()
    this.memory.words[ref * 4 + CHUNK_USE] = this.pace
      ? frequencyWord(nowMs, FREQUENCY_FIRST)
      : Math.floor(nowMs / 1000)
  }

  /** An item takes the place of another one of its key: how often that was used counts for it. */
  inheritUse(from: number, to: number): void {
    if (this.pace) this.memory.words[to * 4 + CHUNK_USE] = this.memory.words[from * 4 + CHUNK_USE]!
  }

  remove(stripe: ArenaStripe, slot: number, reason: RemovalReason): void {
    this.removals.note(this.memory, stripe.itemOf(slot), reason)
    stripe.remove(slot, false)
  }

  evicted(stripe: ArenaStripe, slot: number): void {
    this.removals.note(this.memory, stripe.itemOf(slot), 'evict')
    stripe.remove(slot, true)
  }

  displaced(stripe: ArenaStripe, slot: number): void {
    this.remove(stripe, slot, 'evict')
  }

  sweep(stripe: ArenaStripe, slots: number): number {
    const { words } = this.memory
    const used = stripe.usedSlots
    const nowMs = this.keepsExpired ? Number.NEGATIVE_INFINITY : this.clock.nowMs()
    const dead = words[TABLE.DEAD_SPACES]!
    let removed = 0
    let slot = words[stripe.word + STRIPE.SWEEP_SLOT]!
    for (let left = Math.min(slots, used); left > 0; left--) {
      if (slot >= used) slot = 0
      if ((dead !== 0 || stripe.mayHaveExpired(slot, nowMs)) && this.#clearAway(stripe, slot, nowMs, dead)) removed++
      slot++
    }
    words[stripe.word + STRIPE.SWEEP_SLOT] = slot
    return removed
  }

  /** Removes the item of a slot if its time is over, or its space. */
  #clearAway(stripe: ArenaStripe, slot: number, nowMs: number, dead: number): boolean {
    const ref = stripe.itemOf(slot)
    if (ref <= 0) return false
    const gone = dead !== 0 && (dead & (1 << spaceOf(this.memory, ref))) !== 0
    if (!gone && !stripe.isExpired(ref, nowMs)) return false
    this.remove(stripe, slot, gone ? 'delete' : 'expire')
    return true
  }

  /** See `ArenaTable.trim`. */
  trim(steps: number): 'within' | 'above' | 'stuck' {
    const { pages, room, stripes } = this
    for (let left = steps; !pages.fits(0) || !pages.holds(0); left--) {
      if (left <= 0) return 'above'
      const stripe = stripes[(this.memory.words[TABLE.HAND]!++ >>> 0) % stripes.length]!
      this.enter(stripe)
      const made = room.make(stripe, 0, 0)
      this.exit(stripe)
      if (!made) return 'stuck'
    }
    return 'within'
  }

  /** See `ArenaTable.prepare`. */
  prepare(): void {
    for (const stripe of this.stripes) {
      this.enter(stripe)
      if (!stripe.isMade) this.room.rehome(stripe, stripe.grownShape(false))
      this.exit(stripe)
    }
  }

  /** Empties a table that one thread has for itself, whatever it holds, by giving all pages back at once. */
  forget(): void {
    this.room.abandon()
    this.pages.reset()
    for (const stripe of this.stripes) stripe.forget()
    this.memory.words[TABLE.HAND] = 0
    this.memory.words[TABLE.DEAD_SPACES] = 0
  }

  #repair(stripe: ArenaStripe): void {
    stripe.repair()
    this.undrainDead()
  }
}
