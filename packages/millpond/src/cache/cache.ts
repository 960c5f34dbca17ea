import type { Codec } from '../core/codec.ts'
import { jsonCodec } from '../core/codec.ts'
import { type Duration, durationMs, positiveMs } from '../core/duration.ts'
import { OptionError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { Serial } from '../core/serial.ts'
import { HeapTable } from '../memory/heap-table.ts'
import { answered } from './answered.ts'
import { Batcher, whenAllAborted } from './batcher.ts'
import { type Entry, freshUntilMs, isFresh, tagsOf } from './entry.ts'
import type { CacheEvents } from './events.ts'
import { Fleet } from './fleet.ts'
import type { CacheHost, WriteEntry } from './host.ts'
import { shownKey } from './inner-key.ts'
import { collectInvalidations, type Invalidations } from './invalidations.ts'
import { type Life, resolveLife } from './life.ts'
import { aborted } from './loads.ts'
import { checkedValue, NearCacheView } from './near-cache.ts'
import type { CacheOptions, DependencyOptions, EntryOptions, GetOrSetOptions, ReadOptions } from './options.ts'
import { same } from './read-batches.ts'
import { currentMemo, type RequestMemo, readOnce, runRequest } from './request.ts'
import { codecSealer, SEALERS, sealerOf } from './sealer.ts'
import { resolveSettings } from './settings.ts'
import { SharedReads } from './shared-reads.ts'
import { SharedTier } from './shared-tier.ts'
import { defineSource, type Source, type SourceOptions } from './source.ts'
import { Stack } from './stack.ts'
import type { Cache, EntryView, Loader, ManyLoadContext, ManyLoader } from './types.ts'
import { type WrapOptions, type Wrapped, wrap } from './wrap.ts'
import { Writes } from './writes.ts'

/**
 * Makes a cache.
 *
 * @throws OptionError (`ERR_OPTION`) naming the first option that cannot be used
 */
export function createCache(options: CacheOptions = {}): Cache {
  const settings = resolveSettings(options)
  const { codec = jsonCodec } = options
  const { policy } = options.memory || {}
  if (policy !== undefined && typeof policy.create !== 'function') {
    throw new OptionError('memory.policy', policy, "give tinyLfu, s3Fifo, sieve or lru of 'millpond/memory'")
  }
  const timeoutMs = positiveMs(options.storeTimeout ?? 50, 'storeTimeout')
  const fenceMs = wellAbove(timeoutMs, options.fence, 'fence', 10_000)
  const leaseMs = wellAbove(timeoutMs, options.lease, 'lease', 3000)
  const stack = new Stack<Writes>(settings, options, {
    sealer: sealerOf(settings.copy, { ...SEALERS, serialize: codecSealer(codec) }),
    table: (given) => new HeapTable(given),
    shared: (given) => {
      const tier = new SharedTier({ ...given, timeoutMs, fenceMs, onError: () => void given.counters.storeErrors++ })
      const reads = new SharedReads({ ...given, tier, codec })
      return { tier, reads, fleet: new Fleet({ ...given, tier, reads, leaseMs }) }
    },
    writes: (given) => new Writes(given),
  })
  return new View({ stack, codec, updates: new Serial() }, '', [])
}

/** A time that has room for several calls of the store. */
function wellAbove(timeoutMs: number, given: Duration | undefined, option: string, otherwise: number): number {
  const ms = given === undefined ? Math.max(otherwise, 4 * timeoutMs) : durationMs(given, option)
  if (ms >= 4 * timeoutMs) return ms
  throw new OptionError(option, given, `give at least four times storeTimeout (${timeoutMs} ms)`)
}

/** What a cache and its namespaces share. */
interface Shares {
  readonly stack: Stack<Writes>
  readonly codec: Codec
  readonly updates: Serial
}

/** A value that the store had. */
interface Promoted {
  readonly sealed: unknown
  readonly fresh: boolean
  readonly etag?: string | undefined
}

/** A cache with all tiers and what is built on them, or a namespace of one. */
class View extends NearCacheView<Writes> implements CacheHost {
  readonly #shares: Shares

  constructor(shares: Shares, prefix: string, scopes: readonly string[]) {
    super(shares.stack, prefix, scopes)
    this.#shares = shares
  }

  get codec(): Codec {
    return this.#shares.codec
  }
  get logger(): Logger {
    return this.stack.settings.logger
  }
  get random(): Random {
    return this.stack.settings.random
  }

  /** The path of every hit: it does not go by way of `super`. */
  override getOrSet<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V> {
    try {
      const inner = this.inner(key)
      const memo = currentMemo(this.stack)
      if (memo !== undefined) return this.#readOnce(memo, inner, load, options)
      return this.read(inner, load, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Reads once for the request. Each caller keeps a signal of its own, and a value of its own where it could change it. */
  async #readOnce<V>(memo: RequestMemo, inner: string, load: Loader<V>, options: GetOrSetOptions<V> = {}): Promise<V> {
    const { sealer } = this.stack
    const { signal, atLeast } = options
    if (atLeast !== undefined) memo.delete(inner)
    const once = atLeast === undefined ? {} : { atLeast }
    const reading = readOnce(memo, inner, async () =>
      sealer.seal(await this.read(inner, load, options, once), shownKey(inner)),
    )
    return sealer.open(await (signal === undefined ? reading : aborted(reading, signal))) as V
  }

  async getOrSetMany<V>(
    keys: readonly string[],
    load: ManyLoader<V>,
    options?: GetOrSetOptions<V>,
  ): Promise<Map<string, V>> {
    const unique = [...new Set(keys)]
    const batcher = new Batcher<string, V, { signal: AbortSignal; set(options: EntryOptions<V>): void }>(
      async (items) => {
        const setters = new Map(items.map((item) => [item.id, item.ctx]))
        const ctx: ManyLoadContext<V> = {
          signal: whenAllAborted(items.map((item) => item.ctx.signal)),
          set: (key, given) => setters.get(key)?.set(given),
        }
        const values = await load(
          items.map((item) => item.id),
          ctx,
        )
        return items.map((item) => values.get(item.id) as V)
      },
      this.clock,
      Number.POSITIVE_INFINITY,
      0,
    )
    const values = await Promise.all(
      unique.map((key) => this.getOrSet<V>(key, (ctx) => batcher.load(key, ctx), options)),
    )
    return new Map(unique.map((key, at) => [key, values[at]!]))
  }

  async getEntry<V>(key: string): Promise<EntryView<V> | undefined> {
    const inner = this.inner(key)
    const nowMs = this.clock.monotonic()
    const kept = this.stack.near.peek(inner, nowMs)
    const standing = kept === undefined ? 'gone' : this.stack.near.standing(inner, kept, nowMs)
    if (kept !== undefined && standing !== 'gone') return this.#view(kept, isFresh(standing) ? 'fresh' : 'stale')
    const promoted = await this.#promote(inner)
    if (promoted === undefined) return undefined
    const entry = this.stack.near.peek(inner, nowMs)
    if (entry !== undefined) return this.#view(entry, 'fresh')
    // There is no near tier, or the value is stale and was not brought there: the store's own record tells.
    const { found } = await this.stack.shared!.reads.look({ key: inner, life: this.life })
    return {
      value: this.stack.sealer.open(promoted.sealed) as V,
      state: promoted.fresh ? 'fresh' : 'stale',
      tags: found?.tags.filter(isOfUser) ?? [],
      ttlMs: found?.record.freshMs ?? 0,
      ageMs: 0,
      etag: promoted.etag,
    }
  }

  async update<V>(
    key: string,
    change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
    options?: EntryOptions<V>,
  ): Promise<V | undefined> {
    const inner = this.inner(key)
    const life = resolveLife(options, this.life)
    const run = (): Promise<unknown> => this.stack.writes.update(inner, change as (value: unknown) => unknown, life)
    return (await this.changing([inner], () => this.#shares.updates.run(inner, run))) as V | undefined
  }

  override namespace(name: string): Cache {
    return new View(this.#shares, ...this.inside(name))
  }

  wrap<A extends readonly unknown[], V>(
    fn: (...args: A) => V | PromiseLike<V>,
    options: WrapOptions<A, V>,
  ): Wrapped<A, V> {
    return wrap(this, fn, options)
  }

  define<I, V>(options: SourceOptions<I, V>): Source<I, V> {
    return defineSource(this, options)
  }

  async writeThrough<V>(entries: readonly WriteEntry<V>[], write: () => unknown): Promise<void> {
    const inner = entries.map(({ key, value, options }) => {
      return { key: this.inner(key), value: checkedValue(key, value), life: resolveLife(options, this.life) }
    })
    const keys = inner.map(({ key }) => key)
    await this.changing(keys, () => this.stack.writes.through(inner, write))
  }

  async refresh<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V> {
    const inner = this.inner(key)
    const life = this.loadLife(options)
    const wish = { key: inner, load: load as Loader<unknown>, life, options }
    return (await this.changing([inner], () => this.stack.loads.refresh(wish))) as V
  }

  invalidations(): Invalidations {
    return collectInvalidations(this)
  }

  request<R>(fn: () => R): R {
    return runRequest(fn)
  }

  dependentTags({ tables, rows }: DependencyOptions): readonly string[] | undefined {
    if (tables === undefined && rows === undefined) return undefined
    const { feed, settings } = this.stack
    if (feed?.tagsOf) return feed.tagsOf({ ...(tables && { tables }), ...(rows && { rows }) })
    if (!settings.enabled) return undefined
    throw new OptionError(
      tables ? 'tables' : 'rows',
      tables ?? rows,
      "give the cache a feed that tells of them, such as postgresFeed of 'millpond/postgres'",
    )
  }

  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    this.stack.emitter.emit(name, event)
  }

  track<T>(work: Promise<T>): Promise<T> {
    return this.stack.track(work)
  }

  onClose(run: () => Promise<void>): void {
    this.stack.closers.push(run)
  }

  /** Options of a load as numbers, with the tags by which the feed tells of what it reads. */
  protected override loadLife<V>(options: GetOrSetOptions<V> | undefined): Life {
    const life = resolveLife(options, this.life)
    const tags = options && this.dependentTags(options)
    return tags ? { ...life, tags: [...new Set([...life.tags, ...tags])] } : life
  }

  /** A request memo forgets what changes before, and again after: it may have read in between. */
  protected override async changing<R>(keys: readonly string[] | undefined, run: () => Promise<R>): Promise<R> {
    this.#forget(keys)
    try {
      return await run()
    } finally {
      this.#forget(keys)
    }
  }

  #forget(keys: readonly string[] | undefined): void {
    const memo = currentMemo(this.stack)
    if (keys === undefined) memo?.clear()
    else for (const key of keys) memo?.delete(key)
  }

  protected override async findBehind<V>(
    inner: string,
    options: ReadOptions | undefined,
  ): Promise<{ value: V } | undefined> {
    const promoted = options?.atLeast === undefined ? await this.#promote(inner) : undefined
    answered(promoted?.fresh ? 'store' : 'nothing', inner, this.stack)
    return promoted?.fresh ? { value: this.stack.sealer.open(promoted.sealed) as V } : undefined
  }

  /** What the store has, brought into the near tier if it is fresh. */
  async #promote(inner: string): Promise<Promoted | undefined> {
    const { near, shared } = this.stack
    if (shared === undefined) return undefined
    const lease = near.lease(inner, this.life.tags)
    try {
      const how = { background: true, force: false }
      const found = await shared.reads.promote({ key: inner, life: this.life }, lease, how, same)
      if (found?.landed) return { sealed: found.landed.sealed, fresh: true }
      return found?.fallback && { ...found.fallback, fresh: false }
    } finally {
      lease.end(false)
    }
  }

  #view<V>(entry: Entry, state: 'fresh' | 'stale'): EntryView<V> {
    const nowMs = this.clock.monotonic()
    return {
      value: this.stack.sealer.open(entry.sealed) as V,
      state,
      tags: tagsOf(entry)
        .map((tag) => tag.name)
        .filter((name) => name.charCodeAt(0) !== 0),
      ttlMs: freshUntilMs(entry) - nowMs,
      ageMs: nowMs - entry.loadedAtMs,
      etag: entry.extra?.etag,
    }
  }
}

/** Tags of the cache's own begin with \0. */
function isOfUser(tag: string): boolean {
  return tag.charCodeAt(0) !== 0
}
