/** A collection whose reads are answered from the cache. */
import { type Duration, durationMs } from '../../../core/duration.ts'
import { OptionError } from '../../../core/errors.ts'
import type { Position } from '../../../core/feed.ts'
import { facadeOf } from '../../facade.ts'
import type { ReadMode } from '../../read-mode.ts'
import type { Document, MongoSession } from '../client.ts'
import type { MongoFeed } from '../feed.ts'
import type { Mingo } from '../selection.ts'
import { CachedReads, type ReadExplanation, type RunRead } from './cached-reads.ts'
import { type ClientState, clientState } from './client-state.ts'
import { type MongoCollection, type MongoCursor, OPTION_METHODS, WRITES } from './mongo-collection.ts'
import type { CollectionStatus } from './read-counts.ts'
import type { MongoRead } from './read-shape.ts'

/** What a load says of the value that it returns. */
interface LoadedAnswer<V> {
  skip(value: V): V
  set(options: { tags: readonly string[] }): void
  fromReplica(value: V): V
}

/** The slice of a cache that is needed here. */
export interface AnswerCache {
  getOrSet<V>(
    key: string,
    load: (ctx: LoadedAnswer<V>) => Promise<V>,
    options: { tags: readonly string[]; ttl: 'forever'; atLeast?: Position },
  ): Promise<V>
}

/** Options of `cachedCollection`. */
export interface CachedCollectionOptions {
  /** Where answers are kept: a cache that was made with the same `feed`, and hands out what it was given (`copy: 'freeze'`). */
  readonly cache: AnswerCache
  /** Tells of every change of the collection. */
  readonly feed: MongoFeed
  /** Part of every key: collections that are seen by other users on the same cache have another name. Default `'mongodb'`. */
  readonly name?: string
  /** How fresh answers are where a read does not say it. Default `'bounded'`: see `ReadMode`. */
  readonly read?: ReadMode
  /**
   * How long a reader waits for the feed to get as far as he needs (what this process has written, `atLeast`, `'strict'`), before
   * the server is asked. Default 50 ms.
   */
  readonly wait?: Duration
  /**
   * A read that the server has not answered for so long is put again, then after twice as long each time, and the first answer
   * counts: the driver loses commands whose connection closes while they are sent. (Where it tells of a lost connection, half a
   * second after that.) Shorter: a lost read is made good sooner, and a slow one runs more than once. Default 10 s.
   */
  readonly patience?: Duration
  /**
   * `mingo`, which tests filters with choices, negations and lists on changed documents; without it such filters depend on more
   * of the collection. Default: the installed package, if there is one.
   */
  readonly mingo?: Mingo
}

/** What a cached collection can do besides. */
export interface CachedCollection {
  /** Whether a read is kept; why not, in words; and what can make its answer old. */
  explain(read: {
    readonly filter?: object
    readonly pipeline?: readonly object[]
    readonly options?: object
  }): Promise<ReadExplanation>
  /** How it is doing: what was answered from the cache, what was not and why, and where the feed stands. */
  status(): CollectionStatus
}

/**
 * A collection of `mongodb` that answers `find().toArray()`, `findOne`, `aggregate().toArray()` and `countDocuments` from the cache. It is
 * used like the collection itself; whatever it does not know it leaves to the driver, and so it does with every read that names a
 * session. None is kept of which it is not known what makes its answer old: `explain` says why.
 *
 * What is kept is read with read concern `majority`, after the latest change that was told. Documents that are handed out are the
 * caller's own. A read can say how fresh it has to be: `find(filter, { read: 'strict' })`.
 *
 * @throws OptionError (`ERR_OPTION`) for options that cannot work
 */
export function cachedCollection<C extends object>(
  collection: C,
  options: CachedCollectionOptions,
): C & CachedCollection {
  const plain = collection as C & MongoCollection
  if (typeof plain.aggregate !== 'function' || typeof plain.db?.client?.startSession !== 'function')
    throw new OptionError('collection', collection, 'give a collection of the package `mongodb` 7: db.collection(...)')
  const { wait = 50, patience = '10s', mingo } = options
  if (mingo !== undefined && typeof mingo.Query !== 'function')
    throw new OptionError('mingo', mingo, "give the module `mingo` 7: import * as mingo from 'mingo'")
  const limits = { waitMs: durationMs(wait, 'wait'), patienceMs: durationMs(patience, 'patience') }
  const reads = new CachedReads(plain, options, limits)
  const state = clientState(plain.db.client, options.feed)
  return facadeOf(plain, { ...readsOf(plain, reads), ...writesOf(plain, state) }) as unknown as C & CachedCollection
}

type Given = Document & { readonly read?: ReadMode; readonly session?: MongoSession }

function readsOf(collection: MongoCollection, reads: CachedReads): Record<string, unknown> {
  return {
    find: (filter: Document = {}, given: Given = {}) =>
      cursorOf(
        given,
        (options) => ({ kind: 'find', filter, options }),
        (options) => collection.find(filter, options),
        reads,
      ),
    aggregate: (pipeline: Document[] = [], given: Given = {}) =>
      cursorOf(
        given,
        (options) => ({ kind: 'aggregate', pipeline, options }),
        (options) => collection.aggregate(pipeline, options),
        reads,
      ),
    findOne: (filter: Document = {}, given: Given = {}) =>
      answer(
        given,
        (options) => ({ kind: 'findOne', filter, options }),
        (options) => collection.findOne(filter, options),
        reads,
      ),
    countDocuments: (filter: Document = {}, given: Given = {}) =>
      answer(
        given,
        (options) => ({ kind: 'count', filter, options }),
        (options) => collection.countDocuments(filter, options),
        reads,
      ),
    explain: ({
      filter = {},
      pipeline,
      options = {},
    }: {
      filter?: Document
      pipeline?: Document[]
      options?: Document
    }): Promise<ReadExplanation> =>
      reads.explain(pipeline ? { kind: 'aggregate', pipeline, options } : { kind: 'find', filter, options }),
    status: () => reads.status(),
  }
}

/** The writes, each noted when it has ended: a reader of this process then sees it. */
function writesOf(collection: MongoCollection, state: ClientState): Record<string, unknown> {
  const methods = collection as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const noted =
    (name: string) =>
    async (...args: unknown[]) => {
      try {
        return await methods[name]!.apply(collection, args)
      } finally {
        state.wrote((args.at(-1) as Given | undefined)?.session)
      }
    }
  return Object.fromEntries(WRITES.map((name) => [name, noted(name)]))
}

async function answer(
  { read: mode, ...options }: Given,
  readOf: (options: Document) => MongoRead,
  run: (options: Document) => Promise<unknown>,
  reads: CachedReads,
): Promise<unknown> {
  if (options.session !== undefined) return await run(options)
  const ask: RunRead = (extra) => run({ ...options, ...extra })
  return await reads.read(readOf(options), mode, ask)
}

/**
 * A cursor of the driver whose `toArray` is answered from the cache, as long as nothing was done to it but what could have
 * stood among its options.
 */
function cursorOf(
  given: Given,
  readOf: (options: Document) => MongoRead,
  open: (options: Document) => MongoCursor,
  reads: CachedReads,
): MongoCursor {
  const { read: _mode, ...first } = given
  const cursor = open(first) as MongoCursor & Record<string, unknown>
  let options: Given = { ...given }
  let isOurs = true
  const facade: MongoCursor = new Proxy(cursor, {
    get(target, name) {
      if (name === 'toArray' && isOurs) return () => answer(options, readOf, (all) => open(all).toArray(), reads)
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const option = readOf({}).kind === 'find' ? OPTION_METHODS[String(name)] : undefined
        if (option === undefined || args.length !== 1) isOurs = false
        else options = { ...options, [option]: args[0] }
        const result: unknown = Reflect.apply(value, target, args)
        return result === target ? facade : result
      }
    },
  })
  return facade
}
