/** Answers queries from the cache where that can be proven right, and from the database everywhere else. */
import type { Position } from '../../../core/feed.ts'
import type { OwnWrites } from '../../own-writes.ts'
import { type ReadFloor, readFloor } from '../../read-floor.ts'
import type { ReadMode } from '../../read-mode.ts'
import { DDL_TABLE } from '../ddl-triggers.ts'
import type { PostgresFeed } from '../feed.ts'
import { handOut, type KeptAnswer, keepAnswer } from './answer.ts'
import type { Auditor } from './auditor.ts'
import type { Effect } from './connection-state.ts'
import type { Source } from './origins.ts'
import { parameterKey } from './parameter-key.ts'
import type { PgResult } from './pg-pool.ts'
import type { PoolEmitter } from './pool-events.ts'
import type { QueryCall } from './query-call.ts'
import type { KnownShape } from './shapes.ts'
import { Waiting } from './waiting.ts'

/** The slice of a cache that is needed here. */
export interface QueryCacheStore {
  getOrSet<V>(
    key: string,
    load: (ctx: LoadedAnswer<V>) => Promise<V>,
    options: {
      tags: readonly string[]
      ttl: 'forever'
      staleWhileRevalidate: 0
      staleIfError: 0
      atLeast?: Position
    },
  ): Promise<V>
  /** Voids what is kept under a key. */
  delete(key: string): unknown
  /** Listens to what is voided, by whom ever. */
  on?(event: 'invalidate', listen: (event: { readonly tags?: readonly string[] }) => void): unknown
  on?(event: 'feedReset', listen: () => void): unknown
}

/** What a load says of the value that it returns. */
interface LoadedAnswer<V> {
  skip(value: V): V
  fromReplica(value: V): V
}

export interface QueryCacheParts {
  readonly cache: QueryCacheStore
  readonly feed: Pick<PostgresFeed, 'includes' | 'reached' | 'covers'>
  /** A position that covers everything that was durable when it was asked for. Rejects when nobody says it in time. */
  readonly now: () => Promise<Position>
  readonly writes: OwnWrites
  /** Part of every key. */
  readonly name: string
  readonly read: ReadMode
  /** How long a reader waits for the feed to get as far as he needs, before the database is asked. */
  readonly waitMs: number
  readonly events: PoolEmitter
  readonly auditor: Auditor | undefined
}

/** How a query is run on the database. */
export interface Runner {
  /** Whether `load` waits for a connection: then nobody who holds one may wait for it. */
  readonly waits: boolean
  /** As it is, with nothing kept. */
  pass(): Promise<unknown>
  /** For the cache. `source`: from where, if that had all that the feed has told when the query began. */
  load(began: () => void): Promise<{ readonly result: PgResult; readonly source: Source | undefined }>
}

export class QueryCache {
  private readonly parts: QueryCacheParts
  private readonly waiting = new Waiting()
  /** What was answered, and how. */
  readonly counts = { reads: 0, loads: 0, kept: 0 }
  /** Why statements went to the database as they were, and how often. */
  readonly passed: Map<string, number> = new Map()

  constructor(parts: QueryCacheParts) {
    this.parts = parts
  }

  /** The answer of a query whose shape is known. A hit that nobody has to wait for is one promise after the cache's own. */
  read(call: QueryCall, shape: KnownShape, runner: Runner): Promise<unknown> {
    this.parts.events.lookAtProof()
    const parameters = parameterKey(call.values)
    const reason = shape.reasons[0] ?? this.reasonAgainst(shape, parameters)
    if (reason) return this.pass(call, shape, runner, reason)
    const key = keyPrefix(this.parts.name, call, shape) + parameters
    const mode = call.read ?? this.parts.read
    if (mode === 'bounded' && this.parts.writes.isOldNews) return this.readFrom(undefined, key, call, shape, runner)
    return this.reached(mode).then((floor) => {
      if (!floor) return this.pass(call, shape, runner, 'the feed cannot prove it in time')
      return this.readFrom(floor.atLeast, key, call, shape, runner)
    })
  }

  private reasonAgainst({ dependencies }: KnownShape, parameters: string | undefined): string | undefined {
    if (parameters === undefined) return 'a parameter means the moment, or has no sure text'
    const untold = dependencies.find(({ tableTag }) => this.parts.feed.covers(tableTag) === undefined)
    return untold && `the feed does not tell of changes of ${untold.tableTag}`
  }

  private readFrom(
    atLeast: Position | undefined,
    key: string,
    call: QueryCall,
    shape: KnownShape,
    runner: Runner,
  ): Promise<unknown> {
    this.counts.reads++
    if (runner.waits) return this.answer(atLeast, key, call, shape, runner)
    // Who holds a connection does not wait for a load that waits for one.
    return this.waiting
      .unless(key, () => this.answer(atLeast, key, call, shape, runner))
      .then((answer) => answer ?? this.pass(call, shape, runner, 'others wait for a connection'))
  }

  private answer(
    atLeast: Position | undefined,
    key: string,
    call: QueryCall,
    shape: KnownShape,
    runner: Runner,
  ): Promise<object> {
    const { cache, events, auditor } = this.parts
    const options = new AnswerOptions(shape, call, atLeast, this.parts.feed)
    const sampled = auditor?.begin(options)
    let isLoad = false
    const load = async (ctx: LoadedAnswer<KeptAnswer>): Promise<KeptAnswer> => {
      isLoad = true
      const { result, source } = await this.load(key, runner)
      const answer = keepAnswer(result)
      this.counts.loads++
      events.emit('load', { text: call.text, kept: source !== undefined })
      if (source === undefined) return ctx.skip(answer)
      this.counts.kept++
      return source === 'standby' ? ctx.fromReplica(answer) : answer
    }
    const read = cache.getOrSet<KeptAnswer>(key, load, options).then((answer) => {
      if (!isLoad) {
        events.hit(call.text)
        sampled?.hit(key, call, answer)
      }
      return handOut(answer, call)
    })
    return sampled ? read.finally(() => sampled.end()) : read
  }

  /** A statement goes to the database; whatever is no plain read may have written. */
  async pass(
    { text }: Pick<QueryCall, 'text'>,
    effect: Effect | undefined,
    runner: Pick<Runner, 'pass'>,
    reason: string,
  ): Promise<unknown> {
    this.passes(text, reason)
    try {
      return await runner.pass()
    } finally {
      if (effect?.mayWrite !== false) this.parts.writes.wrote()
    }
  }

  /** Counts and tells that a statement goes to the database as it is. */
  passes(text: string, reason: string): void {
    this.parts.events.emit('pass', { text, reason })
    if (this.passed.size < REASONS_MAX || this.passed.has(reason))
      this.passed.set(reason, (this.passed.get(reason) ?? 0) + 1)
  }

  private async load(key: string, runner: Runner): ReturnType<Runner['load']> {
    if (!runner.waits) return await runner.load(() => {})
    const began = this.waiting.begin(key)
    try {
      return await runner.load(began)
    } finally {
      began()
    }
  }

  /** What the reader may not be served less than: see `readFloor`. */
  private reached(mode: ReadMode): Promise<ReadFloor | undefined> {
    const { feed, now, writes, waitMs } = this.parts
    return readFloor(mode, { feed, now, own: () => writes.floor((position) => feed.includes(position)), waitMs })
  }
}

/** Options of an answer: its tags are worked out when it is loaded, as a hit asks for none. */
class AnswerOptions {
  readonly ttl = 'forever'
  readonly staleWhileRevalidate = 0
  readonly staleIfError = 0
  readonly atLeast?: Position
  private readonly shape: KnownShape
  private readonly call: QueryCall
  private readonly feed: QueryCacheParts['feed']

  constructor(shape: KnownShape, call: QueryCall, atLeast: Position | undefined, feed: QueryCacheParts['feed']) {
    this.shape = shape
    this.call = call
    this.feed = feed
    if (atLeast !== undefined) this.atLeast = atLeast
  }

  get tags(): readonly string[] {
    const tags = this.shape.dependencies.flatMap((dependency) => dependency.tags(this.call.values))
    // What the tables, views and functions are that it speaks of.
    return this.feed.covers(DDL_TABLE) === undefined ? tags : [...tags, DDL_TABLE]
  }
}

/** What tells a text from all others, and how its rows are to look. */
function keyPrefix(name: string, { types, asArrays }: QueryCall, shape: KnownShape): string {
  const form = types ? 'texts' : asArrays ? 'arrays' : 'objects'
  return (shape.prefixes[form] ??= JSON.stringify([name, shape.generation, form, shape.text]))
}

/** More reasons than this are not counted apart. */
const REASONS_MAX = 1000
