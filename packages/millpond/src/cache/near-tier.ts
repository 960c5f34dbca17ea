import type { Clock } from '../core/clock.ts'
import type { Feed, Position } from '../core/feed.ts'
import type { Random } from '../core/random.ts'
import type { Table, TableOptions } from '../memory/table.ts'
import { estimateBytes } from '../memory/weigher.ts'
import type { Emitter } from './emitter.ts'
import { type Entry, expireEntry, isChanged, keepUntilMs, makeEntry, type Standing, standing, tagsOf } from './entry.ts'
import { shownKey } from './inner-key.ts'
import { keyTag, Lease } from './lease.ts'
import type { Life } from './life.ts'
import type { MemoryOptions } from './options.ts'
import { type Sealer, unsealed } from './sealer.ts'
import type { Counters } from './stats.ts'
import { type Tag, TagRegistry, unsettled, validSince } from './tags.ts'

/** Makes the table that the entries are kept in. */
export type MakeTable = (options: TableOptions<Entry>) => Table<Entry>

/** What the near tier needs to know of its cache. */
export interface NearTierOptions {
  readonly memory: MemoryOptions | false
  readonly table: MakeTable
  readonly clock: Clock
  readonly random: Random
  readonly sealer: Sealer
  readonly feed: Feed | undefined
  readonly counters: Counters
  readonly emitter: Emitter
}

/**
 * The near tier: entries in this process, with all that may void one. Nothing here waits.
 *
 * An entry is served while its time lasts, none of its tags was invalidated since its load began, and, where a feed
 * covers one of its tags, while the feed proves that nothing the database showed `maxStalenessMs` ago is missing.
 */
export class NearTier {
  readonly #options: NearTierOptions
  readonly #table: Table<Entry> | undefined
  readonly #tags = new TagRegistry()
  readonly #feed: Feed | undefined

  constructor(options: NearTierOptions) {
    this.#options = options
    this.#feed = options.feed
    this.#table = options.memory === false ? undefined : this.#makeTable(options.memory)
  }

  get size(): number {
    return this.#table?.size ?? 0
  }

  get weight(): number {
    return this.#table?.weight ?? 0
  }

  /** The entry of a key if it can be served as it is: the path of every plain hit. */
  fresh(key: string, nowMs: number, atLeast?: Position): Entry | undefined {
    const entry = this.#table?.get(key, nowMs)
    if (entry === undefined || isChanged(entry)) return undefined
    if (entry.extra !== undefined && nowMs >= entry.plainUntilMs) return undefined
    if (atLeast !== undefined && !this.#includes(entry, atLeast)) return undefined
    return !entry.fed || this.isProven(entry.loadedAtMs) ? entry : undefined
  }

  /** The entry of a key whatever its state. Leaves no trace in the eyes of eviction. */
  peek(key: string, nowMs?: number): Entry | undefined {
    return this.#table?.peek(key, nowMs)
  }

  /** What a read may do with an entry now. */
  standing(key: string, entry: Entry, nowMs: number, atLeast?: Position): Standing {
    if (!validSince(tagsOf(entry), entry.began)) {
      this.#table?.delete(key, 'invalidate')
      return 'gone'
    }
    if (isChanged(entry)) expireEntry(entry)
    if (entry.fed && !this.isProven(entry.loadedAtMs)) {
      this.#options.counters.bypasses++
      return 'gone'
    }
    if (atLeast !== undefined && !this.#includes(entry, atLeast)) return 'gone'
    return standing(entry, nowMs, this.#options.random)
  }

  /** Takes the lease of a load of `key` that begins now. */
  lease(key: string, tagNames: readonly string[]): Lease {
    const { names, fed } = this.#covered(tagNames)
    return new Lease(this.#tags, key, names, { fed, whole: this.#feedIsWhole() })
  }

  /**
   * A load under a lease that the feed covers waits, within a bound, until what was announced about its tags is visible,
   * and begins then. Other loads began with their lease: what was read from a store for them must stay true.
   */
  async beginLoad(lease: Lease): Promise<void> {
    if (!lease.fed) return
    if (unsettled(lease.tags)) await this.#feed!.settled(SETTLE_MS_MAX)
    lease.restart(this.#feedIsWhole())
  }

  /**
   * Whether nothing is missing that the database showed `maxStalenessMs` before a reader came, in what was loaded since
   * `beganAtMs` and not voided by the feed.
   */
  isProven(beganAtMs: number, cameAtMs: number = this.#options.clock.monotonic()): boolean {
    const feed = this.#feed
    // Not the coarse time of the hit: the bound is a promise.
    return feed === undefined || Math.max(feed.freshAsOfMs(), beganAtMs) >= cameAtMs - feed.maxStalenessMs
  }

  /** As of when the feed proves that nothing is missing, where there is one. */
  get provenAsOfMs(): number {
    return this.#feed?.freshAsOfMs() ?? Number.POSITIVE_INFINITY
  }

  /** Adds tags that the loader named at its end. */
  addTags(lease: Lease, tagNames: readonly string[]): void {
    const { names, fed } = this.#covered(tagNames)
    lease.addTags(names, fed)
  }

  /** Keeps a sealed value if its lease allows, and ends the lease. Returns the entry that was kept. */
  keep(key: string, sealed: unknown, lease: Lease, life: Life, times: Times): Entry | undefined {
    const mayStore = this.#table !== undefined && lease.mayStore
    if (!mayStore) {
      lease.end(false)
      return undefined
    }
    const entry = makeEntry(sealed, this.#options.sealer.isOpen(sealed), lease, life, times)
    const ttlMs = keepUntilMs(entry) - times.nowMs
    const { idleMs, weight } = life
    const kept = this.#table!.set(key, entry, { ttlMs, idleMs, weight }, times.nowMs)
    lease.end(kept)
    return kept ? entry : undefined
  }

  /** Whether `entry` still is what a key holds. */
  holds(key: string, entry: Entry | undefined): boolean {
    const current = this.#table?.peek(key)
    return current === entry && (entry === undefined || validSince(tagsOf(entry), entry.began))
  }

  deleteKeys(keys: readonly string[], reason: 'delete' | 'invalidate'): void {
    for (const key of keys) {
      this.#tags.invalidateHeld(keyTag(key))
      this.#table?.delete(key, reason)
    }
  }

  /** Voids loads of a key that are under way, and leaves what is kept. */
  voidLoads(key: string): void {
    this.#tags.invalidateHeld(keyTag(key))
  }

  expireKeys(keys: readonly string[]): void {
    for (const key of keys) {
      this.#tags.invalidateHeld(keyTag(key))
      const entry = this.#table?.peek(key)
      if (entry?.extra === undefined) this.#table?.delete(key, 'expire')
      else expireEntry(entry)
    }
  }

  deleteTags(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.invalidate(tag)
  }

  expireTags(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.expire(tag)
  }

  clear(reason: 'delete' | 'invalidate'): void {
    this.#tags.invalidateAll()
    this.#table?.clear(reason)
  }

  /** A commit was announced: its tags are void, and stay unsettled until it is visible. */
  unsettle(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.unsettle(tag)
  }

  settle(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.settle(tag)
  }

  /** The feed begins anew: all that it covered is void. */
  resetFeed(): void {
    this.#tags.invalidate(FEED)
    this.#tags.settleAll()
  }

  /** Tags in use, for tests of bookkeeping. */
  get tagCount(): number {
    return this.#tags.size
  }

  /** Names with the bulk tags that void them, and whether the feed covers any. */
  #covered(names: readonly string[]): { names: readonly string[]; fed: boolean } {
    const feed = this.#feed
    if (feed === undefined) return { names, fed: false }
    const bulk = names.flatMap((name) => feed.covers(name) ?? [])
    return bulk.length === 0 ? { names, fed: false } : { names: [...new Set([...names, ...bulk, FEED])], fed: true }
  }

  #includes(entry: Entry, position: Position): boolean {
    return entry.fed && this.#feed!.includes(position) && !unsettled(tagsOf(entry))
  }

  #feedIsWhole(): boolean {
    return this.#feed === undefined || this.#feed.freshAsOfMs() > Number.NEGATIVE_INFINITY
  }

  #makeTable({ maxWeight, maxEntries, policy, budget, weigher = estimateBytes }: MemoryOptions): Table<Entry> {
    const { clock, counters, emitter, table } = this.#options
    return table({
      clock,
      maxEntries: maxEntries ?? (maxWeight === undefined && budget === undefined ? 10_000 : undefined),
      maxWeight,
      policy,
      budget,
      weigher: (key, entry) => weigher(key, unsealed(entry.sealed)),
      onRemove: (key, entry, reason) => {
        this.#release(tagsOf(entry))
        if (reason === 'evict') counters.evictions++
        if (reason !== 'replace') emitter.emit('remove', { key: shownKey(key), reason })
      },
    })
  }

  #release(tags: readonly Tag[]): void {
    if (tags.length > 0) this.#tags.release(tags)
  }

  /** Where the sequence of invalidations stands: a reader that comes now must not be given what was loaded before an earlier one. */
  get sequence(): number {
    return this.#tags.sequence
  }
}

/** What is known about the time of a load. */
export interface Times {
  readonly nowMs: number
  readonly loadedAtMs: number
  readonly freshMs: number
  readonly etag?: string | undefined
}

/** Carried by every entry that the feed covers, so that a new epoch voids them all at once. */
const FEED = '\0:feed'

/** How long a load waits for a commit to become visible. Past it the load goes on, and is not kept. */
const SETTLE_MS_MAX = 5
