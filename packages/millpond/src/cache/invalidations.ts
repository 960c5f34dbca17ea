import { KeyError } from '../core/errors.ts'
import type { Cache } from './types.ts'

/**
 * Invalidations collected during a transaction: nothing happens until `flush()`, which belongs after COMMIT.
 *
 * ```ts
 * await using later = cache.invalidations()
 * await db.transaction(async (tx) => { await tx.rename(17); later.delete('user:17') })
 * ```
 *
 * Leaving the scope flushes what is left, also when an error leaves it: a COMMIT whose answer was lost may have taken
 * place, and a needless invalidation costs one load where a missing one costs the truth. After a ROLLBACK that is sure,
 * `drop()` saves that load. A process that dies between COMMIT and flush has told nobody: `mutate` covers that too.
 */
export interface Invalidations extends InvalidationList, AsyncDisposable {
  /** How many keys and tags are collected, those of namespaces included. */
  readonly size: number
  /** Carries out what was collected. Can be used again afterwards. */
  flush(): Promise<void>
  /** Forgets what was collected. */
  drop(): void
}

/** What may be collected; each as on the cache itself. */
export interface InvalidationList {
  /** Collects keys to forget. */
  delete(key: string | readonly string[]): void
  /** Collects keys to make stale. */
  expire(key: string | readonly string[]): void
  /** Collects tags whose entries are to be forgotten. */
  deleteByTag(tag: string | readonly string[]): void
  /** Collects tags whose entries are to become stale. */
  expireByTag(tag: string | readonly string[]): void
  /** Collects for a namespace of the cache; flushed and dropped with the rest. */
  namespace(name: string): InvalidationList
}

const KINDS = ['delete', 'expire', 'deleteByTag', 'expireByTag'] as const
type Kind = (typeof KINDS)[number]

/** Starts an empty collection for `cache`. */
export function collectInvalidations(cache: Cache): Invalidations {
  const batches = new Map<string, Batch>()
  const take = () => {
    const taken = [...batches.values()]
    batches.clear()
    return taken
  }
  const flush = async () => {
    await Promise.all(take().map(({ cache, kind, names }) => cache[kind]([...names])))
  }
  return {
    ...collector(cache, '', batches),
    get size() {
      return [...batches.values()].reduce((sum, batch) => sum + batch.names.size, 0)
    },
    flush,
    drop: () => void take(),
    [Symbol.asyncDispose]: flush,
  }
}

interface Batch {
  readonly cache: Cache
  readonly kind: Kind
  readonly names: Set<string>
}

function collector(cache: Cache, path: string, batches: Map<string, Batch>): InvalidationList {
  const collect = (kind: Kind) => (names: string | readonly string[]) => {
    const id = `${path}:${kind}`
    const batch = batches.get(id) ?? { cache, kind, names: new Set() }
    for (const name of Array.isArray(names) ? names : [names]) {
      if (typeof name !== 'string') throw new KeyError(name, 'give a string, or an array of strings')
      batches.set(id, batch)
      batch.names.add(name)
    }
  }
  return {
    delete: collect('delete'),
    expire: collect('expire'),
    deleteByTag: collect('deleteByTag'),
    expireByTag: collect('expireByTag'),
    namespace: (name) => collector(cache.namespace(name), `${path}/${name}`, batches),
  }
}
