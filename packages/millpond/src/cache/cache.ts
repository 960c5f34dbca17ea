import type { Bus } from '../core/bus.ts'
import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import { type Duration, durationMs } from '../core/duration.ts'
import { ClosedError, KeyError, ValueError } from '../core/errors.ts'
import type { Feed } from '../core/feed.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { Serial } from '../core/serial.ts'
import type { Store } from '../core/store.ts'
import { Batcher, whenAllAborted } from './batcher.ts'
import { Changes } from './changes.ts'
import { Emitter } from './emitter.ts'
import { type Entry, freshUntilMs } from './entry.ts'
import type { CacheEvents } from './events.ts'
import type { CacheHost, WriteEntry } from './host.ts'
import { collectInvalidations, type Invalidations } from './invalidations.ts'
import { type Life, resolveLife, tagList } from './life.ts'
import { Loads } from './loads.ts'
import { NearTier } from './near-tier.ts'
import type { CacheOptions, EntryOptions, GetOrSetOptions, ReadOptions } from './options.ts'
import { currentMemo, type RequestMemo, readOnce, runRequest } from './request.ts'
import { type Sealer, sealerOf } from './sealer.ts'
import { checkedName, resolveSettings, type Settings } from './settings.ts'
import { SharedReads } from './shared-reads.ts'
import { SharedTier } from './shared-tier.ts'
import { defineSource, type Source, type SourceOptions } from './source.ts'
import { type CacheStats, Counters } from './stats.ts'
import type { Cache, EntryView, Loader, ManyLoadContext, ManyLoader } from './types.ts'
import { type WrapOptions, type Wrapped, wrap } from './wrap.ts'
import { Writes } from './writes.ts'

/**
 * Makes a cache.
 *
 * @throws OptionError (`ERR_OPTION`) naming the first option that cannot be used
 */
export function createCache(options: CacheOptions = {}): Cache {
  return new View(new Core(resolveSettings(options), options), '', [])
}

/** What a cache and its namespaces share: the tiers, and what moves values between them. */
class Core {
  readonly settings: Settings
  readonly counters = new Counters()
  readonly emitter: Emitter
  readonly sealer: Sealer
  readonly near: NearTier
  readonly shared: SharedTier | undefined
  readonly sharedReads: SharedReads | undefined
  readonly loads: Loads
  readonly changes: Changes
  readonly writes: Writes
  readonly updates = new Serial()
  readonly closers: (() => Promise<void>)[] = []
  closed: Promise<void> | undefined
  isClosed = false
  readonly #pending = new Set<Promise<unknown>>()
  readonly #leave: (() => void)[] = []
  readonly #owned: readonly Owned[]
  readonly #waitUntil: CacheOptions['waitUntil']

  constructor(settings: Settings, options: CacheOptions) {
    const { clock, codec, random, enabled, name } = settings
    const { store, bus, feed } = enabled ? options : {}
    this.settings = settings
    this.#waitUntil = options.waitUntil
    this.emitter = new Emitter(name, settings.logger)
    this.sealer = sealerOf(settings.copy, codec)
    const shared = {
      clock,
      random,
      codec,
      counters: this.counters,
      emitter: this.emitter,
      sealer: this.sealer,
      shownKey,
      enabled,
    }
    const background = (work: Promise<unknown>): void => this.#background(work)
    this.near = new NearTier({ ...shared, memory: settings.memory, feed })
    this.shared = store && this.#makeShared(store, bus !== undefined)
    this.sharedReads = this.shared && new SharedReads({ ...shared, tier: this.shared, near: this.near })
    const parts = { ...shared, near: this.near, background }
    this.loads = new Loads({ ...parts, shared: this.sharedReads, track: (work) => void this.track(work) })
    this.changes = new Changes({ ...parts, name, shared: this.shared, bus })
    this.writes = new Writes({ ...parts, tier: this.shared, shared: this.sharedReads, changes: this.changes })
    if (bus) this.#leave.push(bus.subscribe(this.changes))
    if (feed) this.#leave.push(feed.subscribe(this.changes))
    this.#owned = [store, bus, feed].filter((part) => part !== undefined)
    for (const part of this.#owned) users.set(part, (users.get(part) ?? 0) + 1)
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work)
    const forget = (): void => void this.#pending.delete(work)
    work.then(forget, forget)
    return work
  }

  close(timeoutMs: number): Promise<void> {
    this.closed ??= this.#close(timeoutMs)
    return this.closed
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.settings
    let cancel = (): void => {}
    const late = new Promise<void>((resolve) => {
      const timer = clock.after(timeoutMs, resolve)
      cancel = () => timer.cancel()
    })
    const failures = await Promise.race([this.#drain(), late.then(() => [])])
    cancel()
    this.isClosed = true
    this.loads.abort(new ClosedError(`the cache ${this.settings.name}`))
    for (const leave of this.#leave) leave()
    this.shared?.close()
    this.near.clear('delete')
    await Promise.all(this.#owned.map(release))
    if (failures.length > 0) throw failures[0]
  }

  /** Write-behind first, because it may start work; then all that is under way. Returns what failed to be delivered. */
  async #drain(): Promise<unknown[]> {
    const results = await Promise.allSettled(this.closers.map((run) => run()))
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending])
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  }

  #background(work: Promise<unknown>): void {
    const { logger, name } = this.settings
    const safe = work.catch((error: unknown) =>
      logger.error({ error, cache: name }, 'background work of the cache failed'),
    )
    this.#waitUntil?.(this.track(safe))
    if (this.#waitUntil === undefined) void this.track(safe)
  }

  #makeShared(store: Store, hearsChanges: boolean): SharedTier {
    const { name, clock, storeTimeoutMs: timeoutMs, fenceMs } = this.settings
    const onError = (): void => void this.counters.storeErrors++
    return new SharedTier({ store, name, clock, timeoutMs, fenceMs, hearsChanges, emitter: this.emitter, onError })
  }
}

type Owned = Store | Bus | Feed

/** How many caches use a store, bus or feed: the last one that closes closes it. */
const users = new WeakMap<Owned, number>()

async function release(part: Owned): Promise<void> {
  const left = (users.get(part) ?? 1) - 1
  users.set(part, left)
  if (left === 0) await part.close()
}

/** A cache or a namespace: turns the user's keys and tags into those of the tiers, and options into numbers. */
class View implements CacheHost {
  readonly #core: Core
  /** What the keys of a namespace begin with; empty for the cache itself. */
  readonly #prefix: string
  /** The tags that stand for this namespace and those around it. */
  readonly #scopes: readonly string[]
  readonly #life: Life
  readonly #clock: Clock
  readonly #counters: Counters

  constructor(core: Core, prefix: string, scopes: readonly string[]) {
    this.#core = core
    this.#prefix = prefix
    this.#scopes = scopes
    this.#life = { ...core.settings.life, tags: [...scopes, ...core.settings.life.tags] }
    this.#clock = core.settings.clock
    this.#counters = core.counters
  }

  get name(): string {
    return this.#core.settings.name
  }
  get clock(): Clock {
    return this.#clock
  }
  get codec(): Codec {
    return this.#core.settings.codec
  }
  get logger(): Logger {
    return this.#core.settings.logger
  }
  get random(): Random {
    return this.#core.settings.random
  }

  getOrSet<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V> {
    try {
      const inner = this.#inner(key)
      const memo = currentMemo(this.#core)
      if (memo !== undefined) return readOnce(memo, inner, () => this.#read(inner, load, options))
      return this.#read(inner, load, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #read<V>(inner: string, load: Loader<V>, options: GetOrSetOptions<V> | undefined): Promise<V> {
    const core = this.#core
    const entry = options?.atLeast === undefined ? core.near.fresh(inner, this.#clock.monotonic()) : undefined
    if (entry !== undefined) {
      this.#counters.nearHits++
      if (core.emitter.hearsHits) core.emitter.emit('hit', { key: shownKey(inner), tier: 'near', stale: false })
      return Promise.resolve(core.sealer.open(entry.sealed) as V)
    }
    const life = resolveLife(options, this.#life)
    return core.loads.get({ key: inner, load: load as Loader<unknown>, life, options }) as Promise<V>
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
      this.#clock,
      Number.POSITIVE_INFINITY,
      0,
    )
    const values = await Promise.all(
      unique.map((key) => this.getOrSet<V>(key, (ctx) => batcher.load(key, ctx), options)),
    )
    return new Map(unique.map((key, at) => [key, values[at]!]))
  }

  async get<V>(key: string, options?: ReadOptions): Promise<V | undefined> {
    return (await this.#find<V>(key, options))?.value
  }

  getSync<V>(key: string, options?: ReadOptions): V | undefined {
    return this.#findNear<V>(this.#inner(key), options)?.value
  }

  peek<V>(key: string): V | undefined {
    const inner = this.#inner(key)
    const nowMs = this.#clock.monotonic()
    const entry = this.#core.near.peek(inner, nowMs)
    if (entry === undefined || !isFresh(this.#core.near.standing(inner, entry, nowMs))) return undefined
    return this.#core.sealer.open(entry.sealed) as V
  }

  async getEntry<V>(key: string): Promise<EntryView<V> | undefined> {
    const inner = this.#inner(key)
    const nowMs = this.#clock.monotonic()
    const kept = this.#core.near.peek(inner, nowMs)
    const standing = kept === undefined ? 'gone' : this.#core.near.standing(inner, kept, nowMs)
    if (kept !== undefined && standing !== 'gone') return this.#view(kept, isFresh(standing) ? 'fresh' : 'stale')
    const promoted = await this.#promote(inner)
    if (promoted === undefined) return undefined
    const entry = this.#core.near.peek(inner, nowMs)
    if (entry !== undefined) return this.#view(entry, 'fresh')
    const value = this.#core.sealer.open(promoted.sealed) as V
    return { value, state: promoted.fresh ? 'fresh' : 'stale', tags: [], ttlMs: 0, ageMs: 0, etag: promoted.etag }
  }

  async getMany<V>(keys: readonly string[], options?: ReadOptions): Promise<Map<string, V>> {
    const unique = [...new Set(keys)]
    const found = await Promise.all(unique.map((key) => this.#find<V>(key, options)))
    return new Map(unique.flatMap((key, at) => (found[at] === undefined ? [] : [[key, found[at].value] as const])))
  }

  async has(key: string): Promise<boolean> {
    return (await this.#find(key, undefined)) !== undefined
  }

  async set<V>(key: string, value: V, options?: EntryOptions<V>): Promise<void> {
    const inner = this.#inner(key)
    const given = checkedValue(key, value)
    currentMemo(this.#core)?.delete(inner)
    await this.#core.writes.set({ key: inner, value: given, life: resolveLife(options, this.#life) })
  }

  async setMany<V>(entries: Iterable<readonly [key: string, value: V]>, options?: EntryOptions<V>): Promise<void> {
    await Promise.all([...entries].map(([key, value]) => this.set(key, value, options)))
  }

  async update<V>(
    key: string,
    change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
    options?: EntryOptions<V>,
  ): Promise<V | undefined> {
    const inner = this.#inner(key)
    const life = resolveLife(options, this.#life)
    currentMemo(this.#core)?.delete(inner)
    const run = (): Promise<unknown> => this.#core.writes.update(inner, change as (value: unknown) => unknown, life)
    return (await this.#core.updates.run(inner, run)) as V | undefined
  }

  async delete(key: string | readonly string[]): Promise<void> {
    await this.#core.changes.delete({ keys: this.#inners(key) })
  }

  async expire(key: string | readonly string[]): Promise<void> {
    await this.#core.changes.expire({ keys: this.#inners(key) })
  }

  async deleteByTag(tag: string | readonly string[]): Promise<void> {
    await this.#core.changes.delete({ tags: this.#tags(tag) })
  }

  async expireByTag(tag: string | readonly string[]): Promise<void> {
    await this.#core.changes.expire({ tags: this.#tags(tag) })
  }

  async clear(): Promise<void> {
    this.#checkOpen()
    currentMemo(this.#core)?.clear()
    const scope = this.#scopes.at(-1)
    if (scope === undefined) await this.#core.changes.clear()
    else await this.#core.changes.delete({ tags: [scope] })
  }

  namespace(name: string): Cache {
    const path = this.#prefix === '' ? '' : `${this.#prefix.slice(1, -1)}/`
    const scope = `\0${path}${checkedName(name, 'namespace')}`
    return new View(this.#core, `${scope}:`, [...this.#scopes, scope])
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

  async mutate<R>(
    targets: { keys?: readonly string[]; tags?: readonly string[] },
    write: () => R | PromiseLike<R>,
  ): Promise<R> {
    const inner = { keys: this.#inners(targets.keys ?? []), tags: this.#tags(targets.tags ?? []) }
    await this.#core.changes.fence(inner, true)
    try {
      return await write()
    } finally {
      await this.#core.changes.delete(inner)
    }
  }

  async writeThrough<V>(entries: readonly WriteEntry<V>[], write: () => unknown): Promise<void> {
    const memo = currentMemo(this.#core)
    const inner = entries.map(({ key, value, options }) => {
      const innerKey = this.#inner(key)
      memo?.delete(innerKey)
      return { key: innerKey, value: checkedValue(key, value), life: resolveLife(options, this.#life) }
    })
    await this.#core.writes.through(inner, write)
  }

  async refresh<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V> {
    const inner = this.#inner(key)
    currentMemo(this.#core)?.delete(inner)
    const life = resolveLife(options, this.#life)
    return (await this.#core.loads.refresh({ key: inner, load: load as Loader<unknown>, life, options })) as V
  }

  invalidations(): Invalidations {
    return collectInvalidations(this)
  }

  request<R>(fn: () => R): R {
    return runRequest(fn)
  }

  stats(): CacheStats {
    return this.#counters.stats(this.#core.near.size, this.#core.near.weight)
  }

  on<Name extends keyof CacheEvents>(name: Name, listen: (event: CacheEvents[Name]) => void): () => void {
    return this.#core.emitter.on(name, listen)
  }

  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    this.#core.emitter.emit(name, event)
  }

  track<T>(work: Promise<T>): Promise<T> {
    return this.#core.track(work)
  }

  onClose(run: () => Promise<void>): void {
    this.#core.closers.push(run)
  }

  async close({ timeout = '10s' }: { timeout?: Duration } = {}): Promise<void> {
    await this.#core.close(durationMs(timeout, 'timeout'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** A fresh value from the near tier, counted, in a box so that `undefined` can be told from nothing. */
  #findNear<V>(inner: string, options: ReadOptions | undefined): { value: V } | undefined {
    const { near, counters, emitter, sealer } = this.#core
    const nowMs = this.#clock.monotonic()
    let entry = near.fresh(inner, nowMs)
    if (entry === undefined || options?.atLeast !== undefined) {
      entry = near.peek(inner, nowMs)
      if (entry === undefined || !isFresh(near.standing(inner, entry, nowMs, options?.atLeast))) return undefined
    }
    counters.nearHits++
    if (emitter.hearsHits) emitter.emit('hit', { key: shownKey(inner), tier: 'near', stale: false })
    return { value: sealer.open(entry.sealed) as V }
  }

  async #find<V>(key: string, options: ReadOptions | undefined): Promise<{ value: V } | undefined> {
    const inner = this.#inner(key)
    const { counters, emitter, sealer } = this.#core
    const near = this.#findNear<V>(inner, options)
    if (near !== undefined) return near
    const promoted = options?.atLeast === undefined ? await this.#promote(inner) : undefined
    if (promoted?.fresh) {
      counters.storeHits++
      if (emitter.hearsHits) emitter.emit('hit', { key: shownKey(inner), tier: 'store', stale: false })
      return { value: sealer.open(promoted.sealed) as V }
    }
    counters.misses++
    emitter.emit('miss', { key: shownKey(inner) })
    return undefined
  }

  /** What the store has, brought into the near tier if it is fresh. */
  async #promote(inner: string): Promise<{ sealed: unknown; fresh: boolean; etag?: string | undefined } | undefined> {
    const { near, sharedReads } = this.#core
    if (sharedReads === undefined) return undefined
    const lease = near.lease(inner, this.#life.tags)
    try {
      const found = await sharedReads.promote({ key: inner, life: this.#life }, lease, {
        background: true,
        force: false,
      })
      if (found?.landed) return { sealed: found.landed.sealed, fresh: true }
      return found?.fallback && { ...found.fallback, fresh: false }
    } finally {
      lease.end(false)
    }
  }

  #view<V>(entry: Entry, state: 'fresh' | 'stale'): EntryView<V> {
    const nowMs = this.#clock.monotonic()
    return {
      value: this.#core.sealer.open(entry.sealed) as V,
      state,
      tags: entry.tags.map((tag) => tag.name).filter((name) => name.charCodeAt(0) !== 0),
      ttlMs: freshUntilMs(entry) - nowMs,
      ageMs: nowMs - entry.loadedAtMs,
      etag: entry.extra?.etag,
    }
  }

  /** The key as the tiers know it: no key of a namespace can meet one of another, or of the cache itself. */
  #inner(key: string): string {
    if (this.#core.isClosed) throw new ClosedError(`the cache ${this.name}`)
    if (typeof key !== 'string') throw new KeyError(key, 'give a string; cacheKey(...) makes one of other values')
    if (this.#prefix !== '') return this.#prefix + key
    return key.charCodeAt(0) === 0 ? `\0:${key}` : key
  }

  #inners(keys: string | readonly string[]): readonly string[] {
    const inner = (typeof keys === 'string' ? [keys] : keys).map((key) => this.#inner(key))
    const memo: RequestMemo | undefined = currentMemo(this.#core)
    if (memo !== undefined) for (const key of inner) memo.delete(key)
    return inner
  }

  #tags(tags: string | readonly string[]): readonly string[] {
    this.#checkOpen()
    const list = tagList(tags)
    if (list.length > 0) currentMemo(this.#core)?.clear()
    return list
  }

  #checkOpen(): void {
    if (this.#core.isClosed) throw new ClosedError(`the cache ${this.name}`)
  }
}

/** The key as the user knows it; of a namespace, with its path before it. */
function shownKey(inner: string): string {
  if (inner.charCodeAt(0) !== 0) return inner
  return inner.charCodeAt(1) === COLON ? inner.slice(2) : inner.slice(1)
}

const COLON = 58

function isFresh(standing: string): boolean {
  return standing === 'fresh' || standing === 'renew'
}

function checkedValue<V>(key: string, value: V): V {
  if (typeof (value as { then?: unknown } | undefined | null)?.then !== 'function') return value
  throw new ValueError(key, 'it is a promise; await it first')
}
