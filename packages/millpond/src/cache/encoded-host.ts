import type { Codec } from '../core/codec.ts'
import type { CacheHost } from './host.ts'
import type { Accept } from './life.ts'
import type { EntryOptions } from './options.ts'
import type { LoadContext, Loader } from './types.ts'

/** What a source needs of the cache to keep values. */
export type ValueHost = Pick<CacheHost, 'getOrSet' | 'refresh' | 'peek' | 'set' | 'writeThrough'>

/**
 * A view of a cache that keeps values as text of `codec`, and decodes them for each reader. `undefined` and `null` stay
 * as they are, so that `negativeTtl` applies to them. Text that does not decode is a miss, told as `decodeError`.
 */
export function encodedHost(host: CacheHost, codec: Codec): ValueHost {
  const seal = (value: unknown): unknown => (value === undefined || value === null ? value : codec.encode(value))
  const open = (kept: unknown): never => (typeof kept === 'string' ? codec.decode(kept) : kept) as never
  const entry = <V>(options: EntryOptions<V> & { accept?: Accept } = {}): EntryOptions => {
    const { ttl, accept } = options
    const kept: EntryOptions & { accept?: Accept } = { ...(options as EntryOptions) }
    if (typeof ttl === 'function') kept.ttl = (value: unknown) => ttl(open(value))
    if (accept !== undefined) kept.accept = async (value, key) => seal(await accept(open(value), key))
    return kept
  }
  const loader = <V>(load: Loader<V>): Loader<unknown> => {
    return async (ctx) => seal(await load(decodedContext(ctx, seal, open, entry)))
  }
  const refresh: ValueHost['refresh'] = async (key, load, options) =>
    open(await host.refresh(key, loader(load), entry(options)))
  return {
    refresh,
    async getOrSet(key, load, options) {
      const kept = await host.getOrSet(key, loader(load), entry(options))
      try {
        return open(kept)
      } catch (error) {
        host.emit('decodeError', { key, error })
        return refresh(key, load, options)
      }
    },
    peek(key) {
      try {
        return open(host.peek(key))
      } catch {
        return undefined
      }
    },
    set: (key, value, options) => host.set(key, seal(value), entry(options)),
    writeThrough: (entries, write) =>
      host.writeThrough(
        entries.map(({ key, value, options }) => ({ key, value: seal(value), options: entry(options) })),
        write,
      ),
  }
}

/** The context of a load whose kept values are text, for a loader that knows nothing of that. */
function decodedContext<V>(
  ctx: LoadContext<unknown>,
  seal: (value: unknown) => unknown,
  open: (kept: unknown) => V,
  entry: (options: EntryOptions<V>) => EntryOptions,
): LoadContext<V> {
  return {
    key: ctx.key,
    background: ctx.background,
    get signal() {
      return ctx.signal
    },
    get stale() {
      return open(ctx.stale)
    },
    set: (options) => ctx.set(entry(options)),
    etag: (value) => ctx.etag(value),
    notModified: () => open(ctx.notModified()),
    skip(value) {
      ctx.skip(seal(value))
      return value
    },
    fromReplica(value) {
      ctx.fromReplica(seal(value))
      return value
    },
  }
}
