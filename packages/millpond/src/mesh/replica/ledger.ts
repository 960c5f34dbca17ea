import type { PeerId } from '../link/link.ts'
import { Buckets, sharedHash } from './buckets.ts'
import { compareChanges, Entry } from './entry.ts'
import { EntryIndex } from './entry-index.ts'
import type { Timestamp } from './hybrid-clock.ts'
import { Oldest } from './oldest.ts'

export interface LedgerOptions {
  /** The map's name: the same key of two maps lies in different buckets. */
  readonly name: string
  /** Whether every held entry counts in the digest, however old: of maps of which each peer holds everything. */
  readonly everything: boolean
  /** How long a change is remembered of which nothing is held. */
  readonly rememberMs: number
  /** How many such changes are remembered, at most. */
  readonly rememberedMax: number
  /** The hashes of all maps together, kept along. */
  readonly sum: Uint32Array
}

/**
 * What is known of the keys of a map, held or not, and what of that the digest covers.
 *
 * Two rules. Where every peer holds *everything*, all that is held counts, and so does, for `rememberMs`, each change that
 * left nothing behind: deletions (tombstones) and what has expired. In any other map, peers hold different keys, so
 * holding cannot count: what counts are the *recent* changes, of the last `rememberMs`, held or not.
 *
 * Both remember at most `rememberedMax`, and beyond that drop the one with the oldest version. Not the one that came first:
 * the newest N of the same changes are the same on each peer, in whatever order they came, so peers that know the same
 * agree on what to drop, and their hashes stay equal.
 */
export class Ledger {
  readonly buckets: Buckets
  /** The highest version that was forgotten: of a key that nothing is known of, the last change may lie up to there. */
  floor: Timestamp = 0
  /** The last clearing of the map: changes up to it are void. Of version 0 if there was none. */
  readonly mark: Entry
  /** For how long changes are remembered in truth: less than asked for while room is short. */
  remembersMs: number
  readonly #options: LedgerOptions
  readonly #nameHash: number
  readonly #entries = new EntryIndex()
  readonly #oldest = new Oldest()
  readonly #dues = new Map<number, Entry[]>()
  #sweptSecond = 0
  #remembered = 0
  #shortUntilMs = 0
  readonly #isRemembered = (entry: Entry): boolean => entry.counted && !this.#countsForGood(entry)

  constructor(options: LedgerOptions) {
    this.#options = options
    this.buckets = new Buckets(options.sum)
    this.#nameHash = sharedHash(options.name)
    this.remembersMs = options.rememberMs
    this.mark = new Entry('', this.#nameHash)
    this.mark.state = 'deleted'
    this.buckets.link(this.mark)
  }

  /** How many changes are remembered that have to be forgotten one day. */
  get remembered(): number {
    return this.#remembered
  }

  /** How many keys anything is known of. */
  get size(): number {
    return this.#entries.size
  }

  find(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** A new entry, of which nothing is known yet: change it, then `count` it. */
  open(key: string): Entry {
    const entry = new Entry(key, sharedHash(key) ^ this.#nameHash)
    this.#entries.add(entry)
    this.buckets.link(entry)
    return entry
  }

  /** Takes the entry out of the digest: it is about to change. */
  uncount(entry: Entry): void {
    if (!entry.counted) return
    if (!this.#countsForGood(entry)) this.#remembered--
    this.buckets.toggle(entry)
    entry.counted = false
  }

  /** Enters the entry as it is now, to be remembered for `rememberMs` where it is not held for good; 0: it does not count. */
  count(entry: Entry, nowMs: number, rememberMs: number = this.#options.rememberMs): void {
    if (this.#countsForGood(entry)) {
      entry.counted = true
      this.buckets.toggle(entry)
      return
    }
    if (rememberMs <= 0) {
      this.#leave(entry)
      return
    }
    entry.rememberedUntilMs = nowMs + rememberMs
    entry.counted = true
    this.buckets.toggle(entry)
    this.#remembered++
    this.#oldest.add(entry)
    this.#schedule(entry)
    while (this.#remembered > this.#options.rememberedMax) this.#dropOldest(nowMs)
    if (this.#oldest.size > 2 * this.#remembered + SLACK) this.#oldest.sweep(this.#isRemembered)
  }

  /** The map was cleared: forgets what is older, and returns it, held or not. */
  clearUpTo(version: Timestamp, origin: PeerId): Entry[] {
    const { mark, buckets } = this
    if (mark.version > 0) buckets.toggle(mark)
    mark.version = version
    mark.origin = origin
    buckets.toggle(mark)
    const older = [...this.#entries.values()].filter((entry) => compareChanges(entry, mark) <= 0)
    for (const entry of older) {
      this.uncount(entry)
      this.#forget(entry)
    }
    return older
  }

  /** A held value has left without a change, as `state` says; nothing is remembered of it where nothing needs to be. */
  left(entry: Entry, state: 'expired' | 'elsewhere', nowMs: number): void {
    const { everything } = this.#options
    if (everything) this.uncount(entry)
    entry.state = state
    // Where it replaced nothing there is no older value that has to be kept from coming back.
    if (everything && entry.follows) this.count(entry, nowMs)
    else if (!entry.counted) this.#forget(entry)
  }

  /** Forgets an entry, as if it had never been known. */
  forget(entry: Entry): void {
    this.uncount(entry)
    this.#remove(entry)
  }

  /** Forgets what is due. Call it about once a second. */
  sweep(nowMs: number): void {
    const second = Math.floor(nowMs / 1000)
    for (const [due, entries] of this.#dues) if (due <= second) this.#sweepSecond(due, entries, nowMs)
    this.#sweptSecond = second
    if (nowMs >= this.#shortUntilMs) this.remembersMs = this.#options.rememberMs
  }

  /** All entries, in no order. */
  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  /** Forgets everything. */
  clear(): void {
    this.buckets.clear()
    this.mark.version = 0
    this.buckets.link(this.mark)
    this.#entries.clear()
    this.#oldest.clear()
    this.#dues.clear()
    this.#remembered = 0
    this.floor = 0
    this.remembersMs = this.#options.rememberMs
  }

  #countsForGood(entry: Entry): boolean {
    return this.#options.everything && entry.state === 'held'
  }

  #dropOldest(nowMs: number): void {
    const entry = this.#oldest.take(this.#isRemembered)
    if (!entry) return
    const { rememberMs } = this.#options
    const age = Math.max(0, rememberMs - (entry.rememberedUntilMs - nowMs))
    this.remembersMs = Math.min(this.remembersMs, age)
    this.#shortUntilMs = nowMs + rememberMs
    this.uncount(entry)
    this.#leave(entry)
  }

  /** A change that is not remembered: only what is held stays. */
  #leave(entry: Entry): void {
    if (entry.state !== 'held') this.#forget(entry)
  }

  #forget(entry: Entry): void {
    if (this.#remove(entry)) this.floor = Math.max(this.floor, entry.version)
  }

  /** False where it is not known (any more). */
  #remove(entry: Entry): boolean {
    if (!this.#entries.delete(entry)) return false
    this.buckets.unlink(entry)
    return true
  }

  /** An entry stands in one list: when its second comes, and it is remembered for longer by now, it moves on. */
  #schedule(entry: Entry): void {
    const second = Math.max(Math.ceil(entry.rememberedUntilMs / 1000), this.#sweptSecond + 1)
    if (entry.dueSecond > this.#sweptSecond && entry.dueSecond <= second) return
    entry.dueSecond = second
    const dues = this.#dues.get(second)
    if (dues) dues.push(entry)
    else this.#dues.set(second, [entry])
  }

  #sweepSecond(second: number, due: readonly Entry[], nowMs: number): void {
    this.#dues.delete(second)
    for (const entry of due) {
      if (entry.dueSecond !== second) continue
      entry.dueSecond = 0
      if (!this.#isRemembered(entry)) continue
      if (entry.rememberedUntilMs > nowMs) this.#schedule(entry)
      else {
        this.uncount(entry)
        this.#leave(entry)
      }
    }
  }
}

/** How many entries that have left may stand among the oldest before they are swept. */
const SLACK = 1024
