import type { Life } from './life.ts'
import { changedSince, type Tag } from './tags.ts'

/** An entry of the near tier: a sealed value, when it ends, and what could void it earlier. Times are of `Clock.monotonic`. */
export class Entry {
  /** The value as the cache keeps it; `Sealer.open` makes of it what a reader is given. */
  readonly sealed: unknown
  /** Until then it is fresh and nothing needs to be done about it. Without `extra` the table drops the entry then. */
  plainUntilMs: number
  /** Its load began here in the sequence of invalidations. */
  readonly began: number
  /** Its tag, if it has any; the others, if it has more. A hit looks at these, so one tag is one look. */
  readonly tag: Tag | undefined
  readonly moreTags: readonly Tag[] | undefined
  /** Covered by the feed: served only while the feed proves its freshness. */
  readonly fed: boolean
  /** When its load began, or when it was set. */
  readonly loadedAtMs: number
  /** The sealed value is what a reader is given. */
  readonly isOpen: boolean
  /** What only some entries need: stale windows, early renewal, an etag. */
  readonly extra: Extra | undefined

  constructor(
    sealed: unknown,
    isOpen: boolean,
    hold: Hold,
    loadedAtMs: number,
    plainUntilMs: number,
    extra: Extra | undefined,
  ) {
    this.sealed = sealed
    this.plainUntilMs = plainUntilMs
    this.began = hold.began
    this.tag = hold.tags[0]
    this.moreTags = hold.tags.length > 1 ? hold.tags.slice(1) : undefined
    this.fed = hold.fed
    this.loadedAtMs = loadedAtMs
    this.isOpen = isOpen
    this.extra = extra
  }
}

/** All tags of an entry. */
export function tagsOf({ tag, moreTags = [] }: Entry): readonly Tag[] {
  return tag === undefined ? [] : [tag, ...moreTags]
}

/** Whether one of its tags was invalidated or made stale since its load began. */
export function isChanged({ tag, moreTags, began }: Entry): boolean {
  if (tag === undefined) return false
  return tag.changedAt > began || (moreTags !== undefined && changedSince(moreTags, began))
}

/** The hold on tags under which a value was loaded or set. */
export interface Hold {
  readonly began: number
  readonly tags: readonly Tag[]
  readonly fed: boolean
}

/** The part of an entry that a plain TTL does not need. */
export interface Extra {
  freshUntilMs: number
  readonly staleUntilMs: number
  readonly errorUntilMs: number
  /** After a renewal that failed: no other is tried before. */
  retryAtMs: number
  readonly earlyExpiration: number
  readonly loadMs: number
  readonly etag: string | undefined
}

/** What a read may do with an entry. */
export type Standing =
  /** Serve it. */
  | 'fresh'
  /** Serve it and renew it in the background before it ends. */
  | 'renew'
  /** Stale: serve it and renew it in the background. */
  | 'stale'
  /** Serve it only if loading fails, or takes longer than the soft timeout. */
  | 'fallback'
  /** As if it were not there. */
  | 'gone'

/** It may be served as it is. */
export function isFresh(standing: Standing): boolean {
  return standing === 'fresh' || standing === 'renew'
}

/** How an entry stands at `nowMs`, its tags being valid. `chance` is a random number for early expiration. */
export function standing(entry: Entry, nowMs: number, chance: () => number): Standing {
  if (nowMs < entry.plainUntilMs) return 'fresh'
  const extra = entry.extra
  if (extra === undefined) return 'gone'
  if (nowMs < extra.freshUntilMs) return isEarly(extra, nowMs, chance) ? 'renew' : 'fresh'
  if (nowMs < extra.staleUntilMs) return 'stale'
  return nowMs < extra.errorUntilMs ? 'fallback' : 'gone'
}

/**
 * Whether this read renews an entry that is still fresh. With `earlyExpiration` the chance grows towards the end: XFetch
 * renews when `now - loadMs * beta * ln(chance) >= end` (Vattani, Chierichetti, Lowenstein: "Optimal probabilistic cache
 * stampede prevention", VLDB 2015). Without it the entry is past its `refreshAhead` point.
 */
function isEarly(extra: Extra, nowMs: number, chance: () => number): boolean {
  if (extra.earlyExpiration === 0) return true
  return nowMs - extra.loadMs * extra.earlyExpiration * Math.log(1 - chance()) >= extra.freshUntilMs
}

/** When the table may drop the entry for good. */
export function keepUntilMs(entry: Entry): number {
  const extra = entry.extra
  return extra === undefined ? entry.plainUntilMs : Math.max(extra.freshUntilMs, extra.staleUntilMs, extra.errorUntilMs)
}

export function freshUntilMs(entry: Entry): number {
  return entry.extra === undefined ? entry.plainUntilMs : entry.extra.freshUntilMs
}

/** Makes an entry that is fresh for `freshMs` from `nowMs` on. */
export function makeEntry(
  sealed: unknown,
  isOpen: boolean,
  hold: Hold,
  life: Life,
  times: { nowMs: number; loadedAtMs: number; freshMs: number; etag?: string | undefined },
): Entry {
  const { nowMs, loadedAtMs, freshMs, etag } = times
  const freshUntilMs = nowMs + freshMs
  const { staleWhileRevalidateMs, staleIfErrorMs, refreshAhead, earlyExpiration } = life
  const plain = staleWhileRevalidateMs === 0 && staleIfErrorMs === 0 && refreshAhead === 1 && earlyExpiration === 0
  if (plain && etag === undefined) return new Entry(sealed, isOpen, hold, loadedAtMs, freshUntilMs, undefined)
  const extra: Extra = {
    freshUntilMs,
    staleUntilMs: freshUntilMs + staleWhileRevalidateMs,
    errorUntilMs: freshUntilMs + staleIfErrorMs,
    retryAtMs: Number.NEGATIVE_INFINITY,
    earlyExpiration,
    loadMs: nowMs - loadedAtMs,
    etag,
  }
  // With early expiration each read draws; where loads are much shorter than ttl the draw can only succeed near the end.
  const plainMs = earlyExpiration > 0 ? 0 : freshMs * refreshAhead
  return new Entry(sealed, isOpen, hold, loadedAtMs, Number.isFinite(freshMs) ? nowMs + plainMs : freshUntilMs, extra)
}

/** Ends an entry's freshness now. Its stale windows end when they would have ended. */
export function expireEntry(entry: Entry): void {
  entry.plainUntilMs = Number.NEGATIVE_INFINITY
  if (entry.extra !== undefined) entry.extra.freshUntilMs = Number.NEGATIVE_INFINITY
}
