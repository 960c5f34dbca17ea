/**
 * Pages and chunks: who has which part of an arena. A page is free, or cut into chunks of one class, or part of a home
 * (a run of pages that holds a stripe's index). Pages move between these uses, so a change in the mix of sizes costs
 * moves, never room.
 *
 * All state lies in the arena's words and is guarded by one lock, held for some dozen instructions. Where a change could
 * lose a chunk, the holder first writes down its intent; whoever inherits the lock from a dead holder undoes or
 * completes it (arena-pages-repair.ts).
 */
import { CHUNK, KIND, PAGE, STRIPE, TABLE } from './arena-layout.ts'
import type { ArenaLocks } from './arena-lock.ts'
import { type ArenaMemory, UNITS_MAX } from './arena-memory.ts'
import { INTENT, linkPage, rebuildLists, repairPages, unlinkPage } from './arena-pages-repair.ts'
import { trap } from './arena-trap.ts'

/** How many pages are looked at to find an empty one. */
const SAMPLE = 32

export class ArenaPages {
  readonly #memory: ArenaMemory
  readonly #words: Int32Array
  /** `undefined` while one thread has the arena for itself. */
  #locks: ArenaLocks | undefined

  constructor(memory: ArenaMemory) {
    this.#memory = memory
    this.#words = memory.words
  }

  /** Puts every page but the header's in the free list: a new arena, or one that is emptied at once. */
  reset(): void {
    const { pages, headerPages } = this.#memory.layout
    for (let page = headerPages; page < pages; page++) {
      const at = this.#memory.pageWord(page)
      this.#words.fill(0, at, at + PAGE.DRAINER + 1)
    }
    rebuildLists(this.#memory)
  }

  /** From now on other threads use the arena too. */
  guard(locks: ArenaLocks): void {
    this.#locks = locks
  }

  /** Repairs what a dead member left half done, if it held the lock. */
  check(): void {
    this.#take()
    this.#give()
  }

  /** Pages in use. */
  get used(): number {
    return this.#words[TABLE.USED_PAGES]!
  }

  /** Whether so many more pages, with what objects outside weigh, are within the limit. */
  fits(count: number): boolean {
    const words = this.#words
    const extra = Math.ceil((words[TABLE.EXTRA_UNITS]! * 16) / this.#memory.layout.pageBytes)
    return words[TABLE.USED_PAGES]! + extra + count <= words[TABLE.LIMIT_PAGES]!
  }

  /** Bytes / 16 in use: chunks with items, homes, the header, and what objects outside weigh. */
  get units(): number {
    const { headerPages, pageBytes } = this.#memory.layout
    const words = this.#words
    const fixed = (headerPages + words[TABLE.HOME_PAGES]!) * (pageBytes / 16)
    return fixed + words[TABLE.LIVE_UNITS]! + words[TABLE.EXTRA_UNITS]!
  }

  /** Whether so many bytes / 16 more are within the limit. */
  holds(units: number): boolean {
    const most = this.#words[TABLE.LIMIT_UNITS]!
    return most === UNITS_MAX || this.units + units <= most
  }

  /** Whether a home of so many pages is within the limit. */
  fitsHome(count: number): boolean {
    return this.fits(count) && this.holds(count * (this.#memory.layout.pageBytes / 16))
  }

  /** Whether no page can be had for a home. */
  get full(): boolean {
    return this.#words[TABLE.FREE_PAGE] === 0 || !this.fitsHome(1)
  }

  /**
   * A chunk for an item of a stripe. It becomes the first of the chain that the word at `chainWord` names, so it is
   * never without somebody who knows of it. 0 when there is neither a free chunk of the class nor a free page.
   */
  allocate(classNumber: number, owner: number, stripeWord: number, chainWord: number): number {
    const words = this.#words
    const list = TABLE.PARTIAL_PAGE + classNumber
    this.#take()
    const held = this.holds(this.#memory.classes.sizes[classNumber]! / 16)
    const page = held ? words[list]! || this.#newPage(classNumber) : 0
    if (page === 0) {
      this.#give()
      return 0
    }
    const at = this.#memory.pageWord(page)
    const recycled = words[at + PAGE.FREE_REF]!
    const ref = recycled || this.#chunkRef(page, classNumber, words[at + PAGE.BUMP]!)
    this.#intend(INTENT.ALLOCATE, ref, 1, chainWord)
    if (recycled === 0) words[at + PAGE.BUMP]!++
    else words[at + PAGE.FREE_REF] = words[ref * 4 + CHUNK.NEXT]!
    words[ref * 4 + CHUNK.NEXT] = words[chainWord]!
    words[ref * 4 + CHUNK.OWNER] = owner
    this.#count(at, classNumber, 1, stripeWord)
    words[TABLE.FREE_CHUNKS + classNumber]!--
    if (words[at + PAGE.LIVE] === this.#memory.classes.perPage[classNumber]) unlinkPage(this.#memory, list, page)
    if (trap.at !== undefined) trap.at('allocate')
    words[chainWord] = ref
    this.#give()
    return ref
  }

  /** Frees the first chunk of the chain that the word at `chainWord` names; that word then names the rest. */
  freeFirst(stripeWord: number, chainWord: number): void {
    const words = this.#words
    this.#take()
    const ref = words[chainWord]!
    const page = ref >>> this.#memory.layout.pageRefShift
    const at = this.#memory.pageWord(page)
    const classNumber = words[at + PAGE.KIND]! - KIND.CHUNKS
    this.#intend(INTENT.FREE, ref, 1, chainWord)
    words[chainWord] = words[ref * 4 + CHUNK.NEXT]!
    words[ref * 4 + CHUNK.OWNER] = 0
    if (trap.at !== undefined) trap.at('free')
    words[ref * 4 + CHUNK.NEXT] = words[at + PAGE.FREE_REF]!
    words[at + PAGE.FREE_REF] = ref
    this.#count(at, classNumber, -1, stripeWord)
    if (words[at + PAGE.DRAINER] === 0) this.#settle(page, at, classNumber)
    this.#give()
  }

  /** The class with the most pages' worth of free chunks, if that is at least one page; else -1. */
  slackClass(): number {
    const { perPage, quarter } = this.#memory.classes
    let best = -1
    let most = 1
    for (let classNumber = 0; classNumber <= quarter; classNumber++) {
      const pages = this.#words[TABLE.FREE_CHUNKS + classNumber]! / perPage[classNumber]!
      if (pages < most) continue
      most = pages
      best = classNumber
    }
    return best
  }

  /** Stops giving out the emptiest of some pages of a class. 0 when there is none to empty. */
  drainEmptiest(classNumber: number, member: number): number {
    const words = this.#words
    this.#take()
    let best = 0
    let page = words[TABLE.PARTIAL_PAGE + classNumber]!
    for (let seen = 0; seen < SAMPLE && page !== 0; seen++) {
      if (best === 0 || this.#live(page) < this.#live(best)) best = page
      page = words[this.#memory.pageWord(page) + PAGE.NEXT]!
    }
    if (best !== 0) this.#withdraw(best, member)
    this.#give()
    return best
  }

  /** Stops giving out a run of pages, the one with the least in it. 0 when homes are everywhere in the way. */
  drainRun(count: number, member: number): number {
    this.#take()
    const first = this.#emptiestRun(count)
    if (first !== 0) for (let page = first; page < first + count; page++) this.#withdraw(page, member)
    this.#give()
    return first
  }

  /** Whether the place of a chunk was ever given out since its page was cut. */
  hasUsed(ref: number): boolean {
    const { layout, classes } = this.#memory
    const page = ref >>> layout.pageRefShift
    const at = this.#memory.pageWord(page)
    const units = classes.sizes[this.#words[at + PAGE.KIND]! - KIND.CHUNKS]! / 16
    return (ref - (page << layout.pageRefShift)) / units < this.#words[at + PAGE.BUMP]!
  }

  /** Gives drained pages out again; those that are empty now are free. */
  undrain(first: number, count: number): void {
    this.#take()
    for (let page = first; page < first + count; page++) this.#restore(page)
    this.#give()
  }

  /** Gives out again what members were draining that are dead. */
  undrainDead(isDead: (member: number) => boolean): void {
    const { pages, headerPages } = this.#memory.layout
    for (let page = headerPages; page < pages; page++) {
      const drainer = this.#words[this.#memory.pageWord(page) + PAGE.DRAINER]!
      if (drainer !== 0 && isDead(drainer)) this.undrain(page, 1)
    }
  }

  /** Chunks in use of a page. */
  #live(page: number): number {
    return this.#words[this.#memory.pageWord(page) + PAGE.LIVE]!
  }

  /** A run of free pages for a home, noted at `homeWord`. `false` when there is none. */
  takeRun(count: number, homeWord: number): boolean {
    this.#take()
    const first = this.fitsHome(count) ? this.#freeRun(count) : 0
    if (first !== 0) this.#occupy(first, count, homeWord)
    this.#give()
    return first !== 0
  }

  /** The same from a run that this member drained. `false` when something is left in it. */
  takeDrained(first: number, count: number, homeWord: number): boolean {
    this.#take()
    let empty = true
    for (let page = first; page < first + count; page++) empty &&= this.#live(page) === 0
    if (empty) this.#occupy(first, count, homeWord)
    this.#give()
    return empty
  }

  /** Gives the pages of a home back. */
  freeHome(homeWord: number): void {
    const words = this.#words
    const first = words[homeWord]!
    if (first === 0) return
    const count = words[homeWord + STRIPE.HOME_PAGES - STRIPE.HOME_PAGE]!
    this.#take()
    this.#intend(INTENT.FREE_HOME, first, count, homeWord)
    words[homeWord] = 0
    if (trap.at !== undefined) trap.at('free-run')
    for (let page = first; page < first + count; page++) this.#release(page)
    words[TABLE.HOME_PAGES]! -= count
    this.#give()
  }

  #take(): void {
    if (this.#locks?.take(TABLE.LOCK)) repairPages(this.#memory)
  }

  #give(): void {
    if (this.#locks === undefined) return
    this.#words[TABLE.INTENT] = INTENT.NONE
    this.#locks.give(TABLE.LOCK)
  }

  #intend(intent: number, ref: number, count: number, word: number): void {
    if (this.#locks === undefined) return
    this.#words[TABLE.INTENT_REF] = ref
    this.#words[TABLE.INTENT_COUNT] = count
    this.#words[TABLE.INTENT_WORD] = word
    this.#words[TABLE.INTENT] = intent
  }

  #chunkRef(page: number, classNumber: number, place: number): number {
    const { layout, classes } = this.#memory
    return (page << layout.pageRefShift) + (place * classes.sizes[classNumber]!) / 16
  }

  #count(at: number, classNumber: number, change: 1 | -1, stripeWord: number): void {
    const units = (this.#memory.classes.sizes[classNumber]! / 16) * change
    this.#words[at + PAGE.LIVE]! += change
    this.#words[TABLE.LIVE_UNITS]! += units
    this.#words[stripeWord + STRIPE.LIVE_UNITS]! += units
  }

  #newPage(classNumber: number): number {
    const words = this.#words
    const page = words[TABLE.FREE_PAGE]!
    if (page === 0 || !this.fits(1)) return 0
    const at = this.#memory.pageWord(page)
    unlinkPage(this.#memory, TABLE.FREE_PAGE, page)
    words.fill(0, at + PAGE.LIVE, at + PAGE.FREE_REF + 1)
    words[at + PAGE.KIND] = KIND.CHUNKS + classNumber
    if (trap.at !== undefined) trap.at('new-page')
    words[TABLE.USED_PAGES]!++
    words[TABLE.FREE_CHUNKS + classNumber]! += this.#memory.classes.perPage[classNumber]!
    linkPage(this.#memory, TABLE.PARTIAL_PAGE + classNumber, page)
    return page
  }

  /** After a chunk was freed: the page has room again, or is free as a whole. */
  #settle(page: number, at: number, classNumber: number): void {
    const words = this.#words
    const perPage = this.#memory.classes.perPage[classNumber]!
    const list = TABLE.PARTIAL_PAGE + classNumber
    const live = words[at + PAGE.LIVE]!
    words[TABLE.FREE_CHUNKS + classNumber]!++
    if (live === perPage - 1) linkPage(this.#memory, list, page)
    if (live !== 0) return
    unlinkPage(this.#memory, list, page)
    words[TABLE.FREE_CHUNKS + classNumber]! -= perPage
    this.#release(page)
  }

  #release(page: number): void {
    this.#words[this.#memory.pageWord(page) + PAGE.KIND] = KIND.FREE
    this.#words[TABLE.USED_PAGES]!--
    linkPage(this.#memory, TABLE.FREE_PAGE, page)
  }

  /** Takes a page off its list: nothing of it is given out until `#restore`. */
  #withdraw(page: number, member: number): void {
    const words = this.#words
    const at = this.#memory.pageWord(page)
    const kind = words[at + PAGE.KIND]!
    words[at + PAGE.DRAINER] = member
    if (kind === KIND.FREE) {
      words[at + PAGE.LIVE] = 0
      words[TABLE.USED_PAGES]!++
      unlinkPage(this.#memory, TABLE.FREE_PAGE, page)
      return
    }
    const classNumber = kind - KIND.CHUNKS
    const free = this.#memory.classes.perPage[classNumber]! - words[at + PAGE.LIVE]!
    words[TABLE.FREE_CHUNKS + classNumber]! -= free
    if (free > 0) unlinkPage(this.#memory, TABLE.PARTIAL_PAGE + classNumber, page)
  }

  #restore(page: number): void {
    const words = this.#words
    const at = this.#memory.pageWord(page)
    const kind = words[at + PAGE.KIND]!
    const live = words[at + PAGE.LIVE]!
    words[at + PAGE.DRAINER] = 0
    if (kind === KIND.FREE || live === 0) {
      this.#release(page)
      return
    }
    const classNumber = kind - KIND.CHUNKS
    const free = this.#memory.classes.perPage[classNumber]! - live
    words[TABLE.FREE_CHUNKS + classNumber]! += free
    if (free > 0) linkPage(this.#memory, TABLE.PARTIAL_PAGE + classNumber, page)
  }

  /** From the top: chunks come from the bottom, so homes and chunks meet only when the arena is full. */
  #freeRun(count: number): number {
    const { pages, headerPages } = this.#memory.layout
    let run = 0
    for (let page = pages - 1; page >= headerPages; page--) {
      const at = this.#memory.pageWord(page)
      const free = this.#words[at + PAGE.KIND] === KIND.FREE && this.#words[at + PAGE.DRAINER] === 0
      run = free ? run + 1 : 0
      if (run === count) return page
    }
    return 0
  }

  #emptiestRun(count: number): number {
    const { pages, headerPages } = this.#memory.layout
    const costs = new Float64Array(pages)
    let cost = 0
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (let page = headerPages; page < pages; page++) {
      costs[page] = this.#drainCost(page)
      cost += costs[page]!
      if (page - count >= headerPages) cost -= costs[page - count]!
      if (page - count + 1 < headerPages || cost >= least) continue
      least = cost
      best = page - count + 1
    }
    return least < BLOCKED ? best : 0
  }

  /** Bytes to move to empty a page; one that cannot be emptied costs more than any run of others. */
  #drainCost(page: number): number {
    const at = this.#memory.pageWord(page)
    const kind = this.#words[at + PAGE.KIND]!
    if (this.#words[at + PAGE.DRAINER] !== 0 || kind === KIND.HOME) return BLOCKED
    return kind === KIND.FREE ? 0 : this.#words[at + PAGE.LIVE]! * this.#memory.classes.sizes[kind - KIND.CHUNKS]!
  }

  #occupy(first: number, count: number, homeWord: number): void {
    const words = this.#words
    this.#intend(INTENT.TAKE_HOME, first, count, homeWord)
    for (let page = first; page < first + count; page++) {
      const at = this.#memory.pageWord(page)
      if (words[at + PAGE.DRAINER] === 0) {
        unlinkPage(this.#memory, TABLE.FREE_PAGE, page)
        words[TABLE.USED_PAGES]!++
      }
      words[at + PAGE.DRAINER] = 0
      words[at + PAGE.KIND] = KIND.HOME
    }
    words[homeWord + STRIPE.HOME_PAGES - STRIPE.HOME_PAGE] = count
    words[TABLE.HOME_PAGES]! += count
    if (trap.at !== undefined) trap.at('take-run')
    words[homeWord] = first
  }
}

/** More than all bytes of an arena. */
const BLOCKED = 2 ** 48
