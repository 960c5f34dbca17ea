import { positiveCount } from '../core/count.ts'
import { durationMs } from '../core/duration.ts'
import { OptionError } from '../core/errors.ts'
import { Serial } from '../core/serial.ts'
import { Batcher } from './batcher.ts'
import { encodedHost, type ValueHost } from './encoded-host.ts'
import type { CacheHost } from './host.ts'
import { cacheKey } from './key.ts'
import type { Accept } from './life.ts'
import type { GetOrSetOptions } from './options.ts'
import { runBatch } from './source-batch.ts'
import type { Source, SourceOptions, SourceReadOptions } from './source-options.ts'
import { writeNow } from './source-writer.ts'
import type { LoadContext } from './types.ts'
import { ValueCheck } from './value-check.ts'
import type { WriteQueue, WriteTarget } from './write-queue.ts'

export type { BatchContext, BatchOptions, Source, SourceOptions, SourceReadOptions } from './source-options.ts'

/**
 * Makes a source whose values are kept in `host`.
 *
 * @throws OptionError (`ERR_OPTION`)
 */
export function defineSource<I, V>(host: CacheHost, options: SourceOptions<I, V>): Source<I, V> {
  return new CachedSource(host, options)
}

/**
 * How it works: every read, single or many, is a `getOrSet` of its own key, so all share the cache's single flight, and
 * one failing batch fails no other key. What goes to `loadMany` then meets in the batcher. A change that write-behind
 * has not delivered yet is what loads give, so that eviction cannot bring the older row back.
 */
class CachedSource<I, V> implements Source<I, V> {
  readonly name: string
  readonly #host: CacheHost
  readonly #values: ValueHost
  readonly #options: SourceOptions<I, V>
  readonly #entry: GetOrSetOptions<V | undefined>
  readonly #prefix: string
  readonly #check: ValueCheck<V>
  readonly #batcher: Batcher<I, V | undefined, LoadContext<V | undefined>> | undefined
  readonly #target: WriteTarget<I, V>
  readonly #queue: WriteQueue<I, V> | undefined
  readonly #writes = new Serial()
  /** Loads that replace what the cache has, by key. */
  readonly #renewals = new Map<string, Promise<V | undefined>>()

  constructor(host: CacheHost, options: SourceOptions<I, V>) {
    checkOptions(options)
    const { name, version = 1, loadMany, batch = {} } = options
    this.name = name
    this.#prefix = `${name}@${version}(`
    this.#host = host
    this.#options = options
    this.#values = options.codec ? encodedHost(host, options.codec) : host
    this.#entry = staticEntry(options)
    this.#check = new ValueCheck(options.schema)
    if (options.schema) Object.assign(this.#entry, { accept: this.#accept })
    if (loadMany) {
      const maxSize = positiveCount(batch.maxSize, 'batch.maxSize', 100)
      const delayMs = durationMs(batch.delay ?? 0, 'batch.delay')
      this.#batcher = new Batcher((items) => runBatch(loadMany, items), host.clock, maxSize, delayMs)
    }
    const entryOf = (id: I, value: V) => this.#entryOf(id, value)
    this.#target = { host, values: this.#values, options, key: (id) => this.key(id), entryOf }
    if (typeof options.writeMode === 'object') {
      const queue = options.writeMode.open(this.#target)
      this.#queue = queue
      host.onClose(() => queue.close())
    }
  }

  get(id: I, options?: SourceReadOptions): Promise<V | undefined> {
    try {
      return this.#read(id, options, !this.#options.load)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async getMany(ids: readonly I[], options?: SourceReadOptions): Promise<(V | undefined)[]> {
    return Promise.all(ids.map((id) => this.#read(id, options, this.#batcher !== undefined)))
  }

  peek(id: I): V | undefined {
    const key = this.key(id)
    return this.#check.checkNow(key, this.#values.peek<V>(key))
  }

  async set(id: I, value: V): Promise<void> {
    const key = this.key(id)
    const checked = (await this.#check.check(key, value)) as V
    return this.#writes.run(key, () => this.#change(id, checked, false))
  }

  async update(id: I, change: Parameters<Source<I, V>['update']>[1]): Promise<V | undefined> {
    const key = this.key(id)
    return this.#writes.run(key, async () => {
      const value = await this.#check.check(key, await change(await this.get(id)))
      await this.#change(id, value, value === undefined)
      return value
    })
  }

  async delete(id: I): Promise<void> {
    return this.#writes.run(this.key(id), () => this.#change(id, undefined, true))
  }

  async refresh(id: I): Promise<V | undefined> {
    await this.#queue?.ready
    const key = this.key(id)
    return this.#values.refresh(key, this.#loader(key, id, !this.#options.load), this.#entryOf(id))
  }

  async expire(id: I): Promise<void> {
    return this.#host.expire(this.key(id))
  }

  key(id: I): string {
    const { key } = this.#options
    return `${this.#prefix}${cacheKey(key ? key(id) : id)})`
  }

  async flush(): Promise<void> {
    return this.#queue?.flush()
  }

  #read(id: I, options: SourceReadOptions | undefined, batched: boolean): Promise<V | undefined> {
    const key = this.key(id)
    const load = this.#loader(key, id, batched)
    const entry = options ? { ...this.#entryOf(id), ...options } : this.#entryOf(id)
    if (!this.#queue && !this.#options.schema) return this.#values.getOrSet(key, load, entry)
    return this.#readChecked(key, load, entry)
  }

  async #readChecked(key: string, load: Load<V>, entry: GetOrSetOptions<V | undefined>): Promise<V | undefined> {
    const renew = () => this.#renew(key, () => this.#values.refresh(key, load, entry))
    if (this.#queue?.ready) await this.#queue.ready
    // Not what a store may have kept from before: the near tier dropped the change, and the database does not have it yet.
    if (this.#queue?.pending(key) && this.#values.peek(key) === undefined) return renew()
    const value = await this.#values.getOrSet(key, load, entry)
    if (this.#check.passed(value)) return value
    try {
      return await this.#check.check(key, value)
    } catch (error) {
      this.#host.emit('decodeError', { key, error })
      return renew()
    }
  }

  /** The near tier then has what the schema made of the store's value, and it is checked once. */
  readonly #accept: Accept = (value, key) => this.#check.check(key, value as V | undefined)

  #loader(key: string, id: I, batched: boolean): Load<V> {
    const { load, tagsOf } = this.#options
    return async (ctx) => {
      const pending = this.#queue?.pending(key)
      const loaded = pending ? pending.value : await (batched ? this.#batcher!.load(id, ctx) : load!(id, ctx))
      const value = await this.#check.check(key, loaded)
      if (tagsOf && value !== undefined) ctx.set({ tags: tagsOf(value, id) })
      return value
    }
  }

  #renew(key: string, run: () => Promise<V | undefined>): Promise<V | undefined> {
    let renewal = this.#renewals.get(key)
    if (!renewal) {
      renewal = run().finally(() => this.#renewals.delete(key))
      this.#renewals.set(key, renewal)
    }
    return renewal
  }

  #change(id: I, value: V | undefined, removed: boolean): Promise<void> {
    const change = { id, value, removed }
    const behind = this.#queue && (!removed || this.#options.remove)
    return behind ? this.#queue!.add(change) : writeNow(this.#target, change)
  }

  /** The options of an entry, as far as they are known without the value or with it. */
  #entryOf(id: I, value?: V): GetOrSetOptions<V | undefined> {
    const { tags, tagsOf, tables, rows } = this.#options
    if (typeof tags !== 'function' && typeof rows !== 'function' && value === undefined) return this.#entry
    const known = typeof tags === 'function' ? tags(id) : (tags ?? [])
    const dependencies = {
      ...(tables && { tables }),
      ...(rows && { rows: typeof rows === 'function' ? rows(id) : rows }),
    }
    if (value === undefined) return { ...this.#entry, ...dependencies, tags: known }
    // What is written is kept without a load: it carries the tags of what a load would depend on.
    const ofFeed = this.#host.dependentTags(dependencies) ?? []
    return { ...this.#entry, tags: [...known, ...(tagsOf?.(value, id) ?? []), ...ofFeed] }
  }
}

type Load<V> = (ctx: LoadContext<V | undefined>) => Promise<V | undefined>

const NAME = /^[\w.-]+$/

function checkOptions<I, V>({
  name,
  version = 1,
  load,
  loadMany,
  writeMode,
  write,
  writeMany,
}: SourceOptions<I, V>): void {
  if (!NAME.test(name)) throw new OptionError('name', name, 'give letters, digits, ".", "_" or "-"')
  if (!NAME.test(String(version))) throw new OptionError('version', version, 'give letters, digits, ".", "_" or "-"')
  if (!load && !loadMany) throw new OptionError('load', load, `give the source ${name} a load or a loadMany`)
  if (writeMode && !write && !writeMany)
    throw new OptionError('write', write, `give the source ${name} a write or a writeMany`)
}

/** What is the same for all entries of a source. The cache reads the options of an entry, and no others. */
function staticEntry<I, V>({ tags, rows, ttl, ...options }: SourceOptions<I, V>): GetOrSetOptions<V | undefined> {
  const entry: GetOrSetOptions<V | undefined> = { ...options, ...(typeof rows === 'object' && { rows }) }
  if (typeof tags === 'object') entry.tags = tags
  if (typeof ttl === 'function') entry.ttl = (value) => (value === undefined ? 300_000 : ttl(value))
  else if (ttl !== undefined) entry.ttl = ttl
  return entry
}
