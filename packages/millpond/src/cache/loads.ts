import { type Clock, timeLimit } from '../core/clock.ts'
import { LoadTimeoutError, OptionError } from '../core/errors.ts'
import type { Position } from '../core/feed.ts'
import type { Random } from '../core/random.ts'
import { answered } from './answered.ts'
import type { Emitter } from './emitter.ts'
import { type Entry, isFresh, tagsOf } from './entry.ts'
import type { Begun, Coming, Fleet } from './fleet.ts'
import { shownKey } from './inner-key.ts'
import { freshMsOf, type Life } from './life.ts'
import { Abort, Context, type Stale } from './load-context.ts'
import type { NearTier } from './near-tier.ts'
import type { ReadOptions } from './options.ts'
import type { Sealer } from './sealer.ts'
import type { How, Landed, Promotion, SharedReads } from './shared-reads.ts'
import type { Counters } from './stats.ts'
import type { Loader } from './types.ts'

/** What loads need to know of their cache. */
export interface LoadsOptions {
  readonly near: NearTier
  readonly shared: { readonly reads: SharedReads; readonly fleet: Fleet } | undefined
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly counters: Counters
  readonly emitter: Emitter
  /** False: each caller loads for itself and nothing is kept. */
  readonly enabled: boolean
  /** Work that `close()` waits for. */
  readonly track: (work: Promise<unknown>) => void
  /** Work that nobody waits for. */
  readonly background: (work: Promise<unknown>) => void
}

/** One wish for a value. */
export interface Wish {
  readonly key: string
  readonly load: Loader<unknown>
  readonly life: Life
  readonly options: (ReadOptions & { signal?: AbortSignal }) | undefined
}

/**
 * Loads values, once for all who ask meanwhile, and keeps what may be kept: the path of every read that is not a plain
 * hit. One load of a key is under way at a time; a reader joins it unless something it depends on was invalidated since
 * it began, and then a new one takes its place (single flight; groupcache, 2013).
 */
export class Loads {
  readonly #options: LoadsOptions
  readonly #flights = new Map<string, Flight>()

  constructor(options: LoadsOptions) {
    this.#options = options
  }

  /** The value of a key: kept, stale while it is renewed, or loaded. */
  get(wish: Wish): Promise<unknown> {
    wish.options?.signal?.throwIfAborted()
    if (typeof wish.load !== 'function')
      throw new OptionError('load', wish.load, 'give a function that loads the value')
    const { near, clock, sealer } = this.#options
    const nowMs = clock.monotonic()
    const entry = near.peek(wish.key, nowMs)
    const standing = entry === undefined ? 'gone' : near.standing(wish.key, entry, nowMs, wish.options?.atLeast)
    if (standing === 'gone') return this.#load(wish, undefined, 0)
    if (standing === 'fallback' && nowMs >= entry!.extra!.retryAtMs) return this.#load(wish, entry, 0)
    answered(isFresh(standing) ? 'near' : 'stale', wish.key, this.#options)
    if (standing === 'stale' || standing === 'renew') this.#renew(wish, entry!)
    return Promise.resolve(sealer.open(entry!.sealed))
  }

  /** Loads now, whatever is kept and whoever else is loading. */
  async refresh(wish: Wish): Promise<unknown> {
    const entry = this.#options.near.peek(wish.key, this.#options.clock.monotonic())
    const flight = this.#start(wish, entry, { background: false, force: true })
    const { sealed } = await this.#wait(flight, wish.options?.signal)
    return this.#options.sealer.open(sealed)
  }

  /** Ends what is under way, with the reason: also for those who wait for a loader that does not heed its signal. */
  end(reason: unknown): void {
    for (const flight of this.#flights.values()) {
      flight.abort.abort(reason)
      flight.giveUp?.(reason)
    }
  }

  #load(wish: Wish, fallback: Entry | undefined, leastBegan: number): Promise<unknown> {
    const { near, sealer, clock, counters } = this.#options
    const atLeast = wish.options?.atLeast
    const joinedAt = near.sequence
    const current = this.#joinable(wish.key, leastBegan, atLeast)
    if (current !== undefined) counters.joinedLoads++
    const flight = current ?? this.#start(wish, fallback, { background: false, force: atLeast !== undefined })
    const cameAtMs = clock.monotonic()
    const wasProven = near.isProven(flight.beganAtMs, cameAtMs)
    return this.#landing(flight, wish, fallback).then((landed) => {
      const isOvertaken = current?.lease.mayPredate(joinedAt) === true
      const isUnproven = current && !isOvertaken && !wasProven && !this.#proves(current, cameAtMs)
      if ((isOvertaken || isUnproven) && (landed.from !== 'fallback' || fallback === undefined)) {
        if (isUnproven) counters.bypasses++
        return this.#load(wish, fallback, joinedAt)
      }
      answered(landed.from, wish.key, this.#options)
      if (landed.from === 'stale') this.#renew(wish, undefined)
      return sealer.open(landed.sealed)
    })
  }

  /** Whether the feed, which was late when a reader joined, has made up for it and found nothing against the load. */
  #proves({ lease, beganAtMs }: Flight, cameAtMs: number): boolean {
    return !lease.fed || (lease.holds && this.#options.near.isProven(beganAtMs, cameAtMs))
  }

  /** How a flight ends for one caller: with its value, or with the stale one where that is allowed. */
  #landing(flight: Flight, wish: Wish, fallback: Entry | undefined): Promise<Landed> {
    const signal = wish.options?.signal
    const waiting = this.#wait(flight, signal)
    if (fallback === undefined) return waiting
    const stale: Landed = { sealed: fallback.sealed, from: 'fallback' }
    const late = (): Landed => {
      flight.waiting++ // for the cache: it goes on, whatever becomes of the caller's signal
      return stale
    }
    return timeLimit(this.#options.clock, wish.life.softTimeoutMs, () => waiting, late).catch((error) => {
      if (signal?.aborted) throw error
      return stale
    })
  }

  /** Waits for a flight. A caller who gives up leaves it to the others; the last one to leave aborts it. */
  #wait(flight: Flight, signal: AbortSignal | undefined): Promise<Landed> {
    flight.waiting++
    if (signal === undefined) return flight.promise
    return aborted(flight.promise, signal).catch((error) => {
      if (signal.aborted && --flight.waiting === 0) this.#abandon(flight, signal.reason)
      throw error
    })
  }

  #abandon(flight: Flight, reason: unknown): void {
    flight.abort.abort(reason)
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
  }

  /** Renews a value that is still being served, unless that is under way, or failed a moment ago. */
  #renew(wish: Wish, entry: Entry | undefined): void {
    if (entry?.extra !== undefined && this.#options.clock.monotonic() < entry.extra.retryAtMs) return
    if (this.#joinable(wish.key, 0, undefined) !== undefined) return
    const flight = this.#start(wish, entry, { background: true, force: false })
    flight.waiting++ // for the cache itself: a caller who joins and leaves does not end it
    this.#options.background(flight.promise.catch(() => {}))
  }

  /** A reader with the position of its own write joins only who began with that position too: others may have read before. */
  #joinable(key: string, leastBegan: number, atLeast: Position | undefined): Flight | undefined {
    const flight = this.#flights.get(key)
    if (!flight?.lease.holds || flight.lease.began < leastBegan) return undefined
    return atLeast === undefined || flight.atLeast === atLeast ? flight : undefined
  }

  #start(wish: Wish, entry: Entry | undefined, how: How): Flight {
    const { near, clock, enabled } = this.#options
    const { key, life, options } = wish
    const lease = near.lease(key, life.tags)
    const flight = {
      key,
      life,
      lease,
      abort: new Abort(),
      beganAtMs: clock.monotonic(),
      atLeast: options?.atLeast,
      waiting: 0,
    } as Flight
    flight.promise = this.#fly(flight, wish, entry, how)
    if (enabled) {
      // What is under way is older than this load: it must not be stored after it.
      this.#flights.get(key)?.lease.void()
      this.#flights.set(key, flight)
    }
    return flight
  }

  /** Reads that nobody tracks while a store is asked for them, and others. */
  get underWay(): Promise<unknown>[] {
    return [...this.#flights.values()].map(({ promise }) => promise)
  }

  /** A store that has the value lands the flight with its answer; else it goes on with a load. */
  #fly(flight: Flight, wish: Wish, entry: Entry | undefined, how: How): Promise<Landed> {
    const goOn = (begun: Begun): Promise<Landed> => {
      const loading = this.#flyOn(flight, wish, entry, begun, how)
      this.#options.track(loading.catch(noop))
      return new Promise((resolve, reject) => {
        flight.giveUp = reject
        loading.then(resolve, reject)
      })
    }
    const begin = this.#options.shared?.fleet.begin(flight, how, (begun) => {
      const landed = begun.promotion?.landed
      if (landed === undefined) return goOn(begun)
      this.#end(flight)
      return landed
    })
    if (begin === undefined) return goOn(ALONE)
    return begin.catch((error) => {
      if (flight.giveUp) throw error // it is the load that failed
      flight.abort.abort(error)
      return goOn(ALONE)
    })
  }

  async #flyOn(flight: Flight, wish: Wish, entry: Entry | undefined, begun: Begun, how: How): Promise<Landed> {
    const { near, background, clock } = this.#options
    try {
      flight.abort.throwIfAborted()
      return await this.#loadAndKeep(flight, wish, entry, begun, how)
    } catch (error) {
      if (entry?.extra !== undefined) entry.extra.retryAtMs = clock.monotonic() + RETRY_MS
      const fallback = begun.promotion?.fallback
      if (fallback === undefined || how.background || how.force) throw error
      near.addTags(flight.lease, fallback.tags) // a reader who joined late is judged by them
      return { sealed: fallback.sealed, from: 'fallback' }
    } finally {
      if (begun.turn) background(begun.turn.endAfter(NOT_FILLED))
      this.#end(flight)
    }
  }

  #end(flight: Flight): void {
    flight.lease.end(false)
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
  }

  async #loadAndKeep(
    flight: Flight,
    wish: Wish,
    entry: Entry | undefined,
    begun: Begun,
    { background }: How,
  ): Promise<Landed> {
    const { near, sealer, clock, counters, emitter } = this.#options
    const shown = shownKey(wish.key)
    await near.beginLoad(flight.lease)
    const stale = this.#staleOf(entry, begun.promotion?.fallback)
    const context = new Context(shown, background, wish.life, flight.abort, stale)
    const loadedAtMs = clock.monotonic()
    counters.loads++
    let value: unknown
    try {
      value = await this.#bounded(wish, context, flight.abort, begun.waitedMs)
    } catch (error) {
      counters.loadErrors++
      emitter.emit('loadError', { key: shown, error, background })
      throw error
    }
    const nowMs = clock.monotonic()
    counters.loadMsTotal += nowMs - loadedAtMs
    const sealed = sealer.seal(value, shown)
    const stored = this.#keep(flight, wish, context, { value, sealed, loadedAtMs, nowMs }, begun)
    emitter.emit('load', { key: shown, durationMs: nowMs - loadedAtMs, background, stored })
    return { sealed, from: 'load' }
  }

  #keep(flight: Flight, wish: Wish, context: Context, loaded: Loaded, { promotion, turn }: Begun): boolean {
    const { near, shared, random, counters, enabled, background } = this.#options
    const { lease } = flight
    const { life, keptEtag: etag } = context
    near.addTags(lease, life.tags)
    if (!enabled || context.skipped || promotion?.held || !lease.mayStore) {
      if (enabled && !context.skipped) counters.voidedLoads++
      return false
    }
    const freshMs = freshMsOf(loaded.value, life, random)
    const { nowMs } = loaded
    // What the feed had proven until now lies in the value, or would have voided the lease.
    const loadedAtMs = context.isFromReplica ? Math.min(loaded.loadedAtMs, near.provenAsOfMs) : loaded.loadedAtMs
    near.keep(wish.key, loaded.sealed, lease, life, { nowMs, loadedAtMs, freshMs, etag })
    if (shared !== undefined && promotion !== undefined && !lease.fed) {
      const filled = shared.reads.fill({ key: wish.key, value: loaded.value, life, freshMs, etag, ...promotion })
      background(turn === undefined ? filled : turn.endAfter(filled))
    }
    return true
  }

  /** Runs the loader, within what is left of `hardTimeout` where there is one. */
  async #bounded(wish: Wish, context: Context, abort: Abort, waitedMs: number): Promise<unknown> {
    const { hardTimeoutMs } = wish.life
    const late = (): never => {
      throw new LoadTimeoutError(context.key, hardTimeoutMs)
    }
    try {
      return await timeLimit(this.#options.clock, hardTimeoutMs - waitedMs, () => wish.load(context), late)
    } catch (error) {
      if (error instanceof LoadTimeoutError) abort.abort(error)
      throw error
    }
  }

  #staleOf(entry: Entry | undefined, found: Promotion['fallback']): Stale | undefined {
    const { open } = this.#options.sealer
    if (entry === undefined) return found && { value: open(found.sealed), etag: found.etag, tags: found.tags }
    return { value: open(entry.sealed), etag: entry.extra?.etag, tags: tagsOf(entry).map(({ name }) => name) }
  }
}

/** After a load that failed while a stale value was there: how long that value is served without another try. */
const RETRY_MS = 1000

const ALONE: Begun = { promotion: undefined, waitedMs: 0 }
const NOT_FILLED: Promise<boolean> = Promise.resolve(false)

interface Loaded {
  readonly value: unknown
  readonly sealed: unknown
  readonly loadedAtMs: number
  readonly nowMs: number
}

/** One load under way. */
interface Flight extends Coming {
  readonly beganAtMs: number
  readonly atLeast: Position | undefined
  /** Who waits for it. */
  waiting: number
  promise: Promise<Landed>
  giveUp?: (reason: unknown) => void
}

/** `promise`, or the signal's reason as soon as it is aborted. */
export function aborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(signal.reason)
    if (signal.aborted) give()
    else signal.addEventListener('abort', give, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}

function noop(): void {}
