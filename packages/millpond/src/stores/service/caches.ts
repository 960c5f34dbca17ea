/** The caches of a service, for an admin: made, looked at and changed while it runs. */
import { type Duration, durationMs } from '../../core/duration.ts'
import { type Size, sizeBytes } from '../../core/size.ts'
import type { Link } from './link.ts'
import { namedFieldsOf } from './replies.ts'
import type { ServiceReply } from './reply-reader.ts'
import type { CommandWord } from './words.ts'

/** What a cache of a service is to be. What is left out is as the server has it; `0` is no bound. */
export interface ServiceCacheSettings {
  /** What keys and values may take. */
  maxMemory?: Size
  /** Who leaves when it is full: the names of Redis's `maxmemory-policy`, or `allkeys-tinylfu`. */
  policy?: string
  /** The life of a key that is stored without one. In whole seconds. */
  defaultTtl?: Duration
  /** No key lives longer. In whole seconds. */
  maxTtl?: Duration
  /** The longest key and value together. */
  itemSize?: Size
  /** What all clients together may do in a second: operations, bytes in, bytes out. */
  operations?: number
  bytesIn?: Size
  bytesOut?: Size
  /** How many clients it may have. */
  connections?: number
  /** When changes are written to disk. Settled when a cache is made. */
  append?: 'no' | 'everysec' | 'always'
}

/** A cache as the server tells it. Times are milliseconds, sizes bytes, `null` is no bound. */
export interface ServiceCacheDescription {
  readonly name: string
  readonly createdAtMs: number
  readonly keys: number
  readonly usedBytes: number
  readonly maxBytes: number
  readonly policy: string
  readonly defaultTtlMs: number | null
  readonly maxTtlMs: number | null
  readonly itemBytesMax: number
  readonly append: string
  readonly operations: number | null
  readonly bytesIn: number | null
  readonly bytesOut: number | null
  readonly connectionsMax: number | null
  readonly connections: number
  /** Commands that its quotas have refused. */
  readonly refused: number
  readonly hits: number
  readonly misses: number
  /** When its access keys were made. */
  readonly primaryKeyCreatedAtMs: number | null
  readonly secondaryKeyCreatedAtMs: number | null
}

/** What an admin may do with caches. Everything throws ServiceError, with `access` where the token is no admin's. */
export interface ServiceCaches {
  /** Makes a cache. @throws ServiceError with the word `EXISTS`, OptionError */
  create(name: string, settings?: ServiceCacheSettings): Promise<void>
  /** The names of all caches. */
  list(): Promise<string[]>
  /** @throws ServiceError with the word `NOTFOUND` */
  describe(name: string): Promise<ServiceCacheDescription>
  /** Changes what is given, at once. */
  update(name: string, settings: ServiceCacheSettings): Promise<void>
  /** Deletes it with all that it holds, its tokens and its access keys. */
  delete(name: string): Promise<void>
  /** Empties it. */
  flush(name: string): Promise<void>
  /** Makes one of its two access keys anew, and returns it: it is told this once. */
  accessKey(name: string, which: 'primary' | 'secondary'): Promise<string>
}

export function cachesOf(link: Link): ServiceCaches {
  const ask = (...words: readonly CommandWord[]): Promise<ServiceReply> => link.send(['CACHE', ...words], NEEDS)
  return {
    async create(name, settings = {}) {
      await ask('CREATE', name, ...wordsOf(settings))
    },
    async list() {
      return (await ask('LIST')) as string[]
    },
    async describe(name) {
      return namedFieldsOf(await ask('DESCRIBE', name)) as unknown as ServiceCacheDescription
    },
    async update(name, settings) {
      await ask('UPDATE', name, ...wordsOf(settings))
    },
    async delete(name) {
      await ask('DELETE', name)
    },
    async flush(name) {
      await ask('FLUSH', name)
    },
    async accessKey(name, which) {
      return (await ask('ACCESSKEY', name, which)) as string
    },
  }
}

const NEEDS = { needs: 'cache' } as const

/** @throws OptionError (`ERR_OPTION`) */
function wordsOf(settings: ServiceCacheSettings): CommandWord[] {
  const { maxMemory, policy, defaultTtl, maxTtl, itemSize, operations, bytesIn, bytesOut, connections, append } =
    settings
  const words: Record<string, CommandWord | undefined> = {
    MAXMEMORY: maxMemory && sizeBytes(maxMemory, 'maxMemory'),
    POLICY: policy,
    'DEFAULT-TTL': secondsOf(defaultTtl, 'defaultTtl'),
    'MAX-TTL': secondsOf(maxTtl, 'maxTtl'),
    'ITEM-SIZE': itemSize && sizeBytes(itemSize, 'itemSize'),
    OPERATIONS: operations,
    'BYTES-IN': bytesIn && sizeBytes(bytesIn, 'bytesIn'),
    'BYTES-OUT': bytesOut && sizeBytes(bytesOut, 'bytesOut'),
    CONNECTIONS: connections,
    APPEND: append,
  }
  return Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/** Whole seconds, at least one for what is more than none. */
export function secondsOf(duration: Duration | undefined, option: string): number | undefined {
  return duration === undefined ? undefined : Math.ceil(durationMs(duration, option) / 1000)
}
