import type { Clock } from '../core/clock.ts'
import { type Duration, durationMs } from '../core/duration.ts'
import { ClosedError, OptionError, ValueError } from '../core/errors.ts'
import { MapTable } from '../memory/map-table.ts'
import { answered } from './answered.ts'
import { type Entry, isFresh } from './entry.ts'
import type { CacheEvents } from './events.ts'
import { innerKey, shownKey } from './inner-key.ts'
import { type Life, resolveLife, tagList } from './life.ts'
import type { Wish } from './loads.ts'
import { NearWrites } from './near-writes.ts'
import type { CacheOptions, EntryOptions, GetOrSetOptions, MemoryOptions, ReadOptions } from './options.ts'
import { sealerOf } from './sealer.ts'
import { checkedName, resolveSettings } from './settings.ts'
import { Stack } from './stack.ts'
import type { CacheStats, Counters } from './stats.ts'
import type { Loader, NearCache } from './types.ts'

/** Options of `createNearCache`: those of a cache without a store, and without what would make it large. */
export interface NearCacheOptions
  extends Omit<CacheOptions, 'store' | 'storeTimeout' | 'fence' | 'lease' | 'codec' | 'copy' | 'memory'> {
  copy?: Exclude<CacheOptions['copy'], 'serialize'>
  /** The near tier, or `false` for none. What leaves when it is full is chosen by S3-FIFO. */
  memory?: Omit<MemoryOptions, 'policy' | 'budget'> | false
}

/**
 * Makes the small cache of `millpond/core`: the near tier with all of its correctness, for browsers, edge functions and
 * whoever counts bytes. `createCache` of `millpond` is the same and more; its memory finds more hits when it is full, and
 * holds millions of entries as easily as thousands.
 *
 * @throws OptionError (`ERR_OPTION`) naming the first option that cannot be used
 */
export function createNearCache(options: NearCacheOptions = {}): NearCache {
  const { store, memory } = options as CacheOptions
  const { policy, budget } = memory || {}
  refuse({ store, 'memory.policy': policy, 'memory.budget': budget })
  const settings = resolveSettings(options as CacheOptions)
  const stack = new Stack(settings, options, {
    sealer: sealerOf(settings.copy),
    table: (given) => new MapTable(given),
    writes: (given) => new NearWrites(given),
  })
  return new NearCacheView(stack, '', [])
}

/** Refuses options that only the full cache has. */
function refuse(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) throw new OptionError(name, value, "use createCache of 'millpond'")
  }
}

/**
 * A cache over the near tier, or a namespace of one: turns the user's keys and tags into those of the tiers, and options
 * into numbers.
 */
export class NearCacheView<W extends NearWrites = NearWrites> implements NearCache {
  protected readonly stack: Stack<W>
  /** What the keys of a namespace begin with; empty for the cache itself. */
  protected readonly prefix: string
  /** The tags that stand for this namespace and those around it. */
  protected readonly scopes: readonly string[]
  protected readonly life: Life
  readonly clock: Clock
  readonly #counters: Counters
  readonly #nowMs: () => number

  constructor(stack: Stack<W>, prefix: string, scopes: readonly string[]) {
    this.stack = stack
    this.prefix = prefix
    this.scopes = scopes
    this.life = { ...stack.settings.life, tags: [...scopes, ...stack.settings.life.tags] }
    this.clock = stack.settings.clock
    this.#counters = stack.counters
    this.#nowMs = () => this.clock.coarse?.() ?? this.clock.monotonic()
  }

  get name(): string {
    return this.stack.settings.name
  }
  getOrSet<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V> {
    try {
      return this.read(this.inner(key), load, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The options are read by name and never copied: they may be worked out when they are asked for, which a hit does not. */
  protected read<V>(
    inner: string,
    load: Loader<V>,
    options: GetOrSetOptions<V> | undefined,
    read: Wish['options'] = options,
  ): Promise<V> {
    const { stack } = this
    const entry = stack.near.fresh(inner, this.#nowMs(), options?.atLeast)
    if (entry !== undefined) return Promise.resolve(this.#hit<V>(inner, entry))
    const life = this.loadLife(options)
    return stack.loads.get({ key: inner, load: load as Loader<unknown>, life, options: read }) as Promise<V>
  }

  async get<V>(key: string, options?: ReadOptions): Promise<V | undefined> {
    return (await this.find<V>(key, options))?.value
  }

  getSync<V>(key: string, options?: ReadOptions): V | undefined {
    const inner = this.inner(key)
    const entry = this.#freshNear(inner, options)
    return entry && this.#hit<V>(inner, entry)
  }

  peek<V>(key: string): V | undefined {
    const inner = this.inner(key)
    const nowMs = this.clock.monotonic()
    const entry = this.stack.near.peek(inner, nowMs)
    if (entry === undefined || !isFresh(this.stack.near.standing(inner, entry, nowMs))) return undefined
    return this.stack.sealer.open(entry.sealed) as V
  }

  async getMany<V>(keys: readonly string[], options?: ReadOptions): Promise<Map<string, V>> {
    const unique = [...new Set(keys)]
    const found = await Promise.all(unique.map((key) => this.find<V>(key, options)))
    return new Map(unique.flatMap((key, at) => (found[at] === undefined ? [] : [[key, found[at].value] as const])))
  }

  async has(key: string): Promise<boolean> {
    return (await this.find(key, undefined)) !== undefined
  }

  async set<V>(key: string, value: V, options?: EntryOptions<V>): Promise<void> {
    const inner = this.inner(key)
    const write = { key: inner, value: checkedValue(key, value), life: resolveLife(options, this.life) }
    await this.changing([inner], () => this.stack.writes.set(write))
  }

  async setMany<V>(entries: Iterable<readonly [key: string, value: V]>, options?: EntryOptions<V>): Promise<void> {
    await Promise.all([...entries].map(([key, value]) => this.set(key, value, options)))
  }

  async delete(key: string | readonly string[]): Promise<void> {
    const keys = this.inners(key)
    await this.changing(keys, () => this.stack.changes.delete({ keys }))
  }

  async expire(key: string | readonly string[]): Promise<void> {
    const keys = this.inners(key)
    await this.changing(keys, () => this.stack.changes.expire({ keys }))
  }

  async deleteByTag(tag: string | readonly string[]): Promise<void> {
    const tags = this.tags(tag)
    await this.changing(undefined, () => this.stack.changes.delete({ tags }))
  }

  async expireByTag(tag: string | readonly string[]): Promise<void> {
    const tags = this.tags(tag)
    await this.changing(undefined, () => this.stack.changes.expire({ tags }))
  }

  async clear(): Promise<void> {
    this.checkOpen()
    const { changes } = this.stack
    const scope = this.scopes.at(-1)
    await this.changing(undefined, () => (scope === undefined ? changes.clear() : changes.delete({ tags: [scope] })))
  }

  async mutate<R>(
    targets: { keys?: readonly string[]; tags?: readonly string[] },
    write: () => R | PromiseLike<R>,
  ): Promise<R> {
    const inner = { keys: this.inners(targets.keys ?? []), tags: this.tags(targets.tags ?? []) }
    const { changes } = this.stack
    return await this.changing(inner.tags.length > 0 ? undefined : inner.keys, async () => {
      await changes.fence(inner, true)
      try {
        return await write()
      } finally {
        await changes.delete(inner)
      }
    })
  }

  stats(): CacheStats {
    return this.#counters.stats(this.stack.near.size, this.stack.near.weight)
  }

  on<Name extends keyof CacheEvents>(name: Name, listen: (event: CacheEvents[Name]) => void): () => void {
    return this.stack.emitter.on(name, listen)
  }

  async close({ timeout = '10s' }: { timeout?: Duration } = {}): Promise<void> {
    await this.stack.close(durationMs(timeout, 'timeout'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The near tier's entry, if it may be served. */
  #freshNear(inner: string, options: ReadOptions | undefined): Entry | undefined {
    const { near } = this.stack
    const nowMs = this.#nowMs()
    const entry = near.fresh(inner, nowMs)
    if (entry !== undefined && options?.atLeast === undefined) return entry
    const kept = near.peek(inner, nowMs)
    return kept && isFresh(near.standing(inner, kept, nowMs, options?.atLeast)) ? kept : undefined
  }

  /** Counts and tells a hit; returns what the reader is given. */
  #hit<V>(inner: string, entry: Entry): V {
    const { emitter, sealer } = this.stack
    this.#counters.nearHits++
    if (emitter.hearsHits) emitter.emit('hit', { key: shownKey(inner), tier: 'near', stale: false })
    return (entry.isOpen ? entry.sealed : sealer.open(entry.sealed)) as V
  }

  /** A fresh value, counted, in a box so that `undefined` can be told from nothing. */
  protected async find<V>(key: string, options: ReadOptions | undefined): Promise<{ value: V } | undefined> {
    const inner = this.inner(key)
    const entry = this.#freshNear(inner, options)
    if (entry !== undefined) return { value: this.#hit<V>(inner, entry) }
    return this.findBehind(inner, options)
  }

  /** A fresh value that is not in the near tier; here there is nothing behind it. */
  protected async findBehind<V>(inner: string, _options: ReadOptions | undefined): Promise<{ value: V } | undefined> {
    answered('nothing', inner, this.stack)
    return undefined
  }

  namespace(name: string): NearCache {
    return new NearCacheView(this.stack, ...this.inside(name))
  }

  /** What a namespace inside this one is made of. */
  protected inside(name: string): [prefix: string, scopes: readonly string[]] {
    const path = this.prefix === '' ? '' : `${this.prefix.slice(1, -1)}/`
    const scope = `\0${path}${checkedName(name, 'namespace')}`
    return [`${scope}:`, [...this.scopes, scope]]
  }

  /** Options of a load as numbers. */
  protected loadLife<V>(options: GetOrSetOptions<V> | undefined): Life {
    refuse({ tables: options?.tables, rows: options?.rows })
    return resolveLife(options, this.life)
  }

  protected inner(key: string): string {
    this.checkOpen()
    return innerKey(this.prefix, key)
  }

  protected inners(keys: string | readonly string[]): readonly string[] {
    return (typeof keys === 'string' ? [keys] : keys).map((key) => this.inner(key))
  }

  protected tags(tags: string | readonly string[]): readonly string[] {
    this.checkOpen()
    return tagList(tags)
  }

  /** Runs what changes keys (`undefined`: any). */
  protected changing<R>(_keys: readonly string[] | undefined, run: () => Promise<R>): Promise<R> {
    return run()
  }

  protected checkOpen(): void {
    if (this.stack.isClosed) throw new ClosedError(`the cache ${this.name}`)
  }
}

export function checkedValue<V>(key: string, value: V): V {
  if (typeof (value as { then?: unknown } | undefined | null)?.then !== 'function') return value
  throw new ValueError(key, 'it is a promise; await it first')
}
