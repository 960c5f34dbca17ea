/** Answers queries from the cache where that can be proven right, and from the database everywhere else. */
import type { Position } from '../../../core/feed.ts'
import type { OwnWrites } from '../../own-writes.ts'
import type { ReadMode } from '../../read-mode.ts'
import type { PostgresFeed } from '../feed.ts'
import { handOut, type KeptAnswer, keepAnswer } from './answer.ts'
import type { Effect } from './connection-state.ts'
import { parameterKey } from './parameter-key.ts'
import type { PgResult } from './pg-pool.ts'
import type { QueryCall } from './query-call.ts'
import type { KnownShape } from './shapes.ts'
import { Waiting } from './waiting.ts'

/** The slice of a cache that is needed here. */
export interface QueryCacheStore {
  getOrSet<V>(
    key: string,
    load: (ctx: { skip(value: V): V }) => Promise<V>,
    options: {
      tags: readonly string[]
      ttl: 'forever'
      staleWhileRevalidate: 0
      staleIfError: 0
      atLeast?: Position
    },
  ): Promise<V>
}

export interface QueryCacheParts {
  readonly cache: QueryCacheStore
  readonly feed: Pick<PostgresFeed, 'includes' | 'reached' | 'now' | 'covers'>
  readonly writes: OwnWrites
  /** Part of every key. */
  readonly name: string
  readonly read: ReadMode
  /** How long a reader waits for the feed to get as far as he needs, before the database is asked. */
  readonly waitMs: number
}

/** How a query is run on the database. */
export interface Runner {
  /** Whether `load` waits for a connection: then nobody who holds one may wait for it. */
  readonly waits: boolean
  /** As it is, with nothing kept. */
  pass(): Promise<unknown>
  /** For the cache. `isSure`: the connection had all that the feed has told when the query began. */
  load(began: () => void): Promise<{ readonly result: PgResult; readonly isSure: boolean }>
}

export class QueryCache {
  private readonly parts: QueryCacheParts
  private readonly waiting = new Waiting()
  /** What was answered, and how. */
  readonly counts = { reads: 0, loads: 0, kept: 0 }
  /** Why reads went to the database as they were, and how often. */
  readonly passed: Map<string, number> = new Map()

  constructor(parts: QueryCacheParts) {
    this.parts = parts
  }

  /** The answer of a query whose shape is known. */
  async read(call: QueryCall, shape: KnownShape, runner: Runner): Promise<unknown> {
    const parameters = parameterKey(call.values)
    const [reason = this.reasonAgainst(shape, parameters)] = shape.reasons
    if (reason) return await this.pass(shape, runner, reason)
    const floor = await this.reached(call.read ?? this.parts.read)
    if (!floor) return await this.pass(shape, runner, 'the feed cannot prove it in time')
    const form = call.types ? 'texts' : call.asArrays ? 'arrays' : 'objects'
    const key = JSON.stringify([this.parts.name, shape.generation, form, call.text, parameters])
    this.counts.reads++
    if (runner.waits) return await this.answer(key, call, shape, runner, floor)
    // Who holds a connection does not wait for a load that waits for one.
    const answer = await this.waiting.unless(key, () => this.answer(key, call, shape, runner, floor))
    return answer ?? (await this.pass(shape, runner, 'others wait for a connection'))
  }

  private reasonAgainst({ dependencies }: KnownShape, parameters: unknown): string | undefined {
    if (!parameters) return 'a parameter means the moment, or has no sure text'
    const untold = dependencies.find(({ tableTag }) => this.parts.feed.covers(tableTag) === undefined)
    return untold && `the feed does not tell of changes of ${untold.tableTag}`
  }

  private async answer(
    key: string,
    call: QueryCall,
    shape: KnownShape,
    runner: Runner,
    { atLeast }: Floor,
  ): Promise<object> {
    const { cache } = this.parts
    const tags = shape.dependencies.flatMap((dependency) => dependency.tags(call.values))
    const kept = await cache.getOrSet<KeptAnswer>(
      key,
      async (ctx) => {
        const { result, isSure } = await this.load(key, runner)
        const answer = keepAnswer(result)
        this.counts.loads++
        if (isSure) this.counts.kept++
        return isSure ? answer : ctx.skip(answer)
      },
      { tags, ttl: 'forever', staleWhileRevalidate: 0, staleIfError: 0, ...(atLeast !== undefined && { atLeast }) },
    )
    return handOut(kept, call)
  }

  /** A statement goes to the database; whatever is no plain read may have written. */
  async pass(effect: Effect | undefined, runner: Pick<Runner, 'pass'>, reason: string): Promise<unknown> {
    if (this.passed.size < REASONS_MAX || this.passed.has(reason))
      this.passed.set(reason, (this.passed.get(reason) ?? 0) + 1)
    try {
      return await runner.pass()
    } finally {
      if (effect?.mayWrite !== false) this.parts.writes.wrote()
    }
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

  /**
   * What the reader may not be served less than; when it returns, the feed has told up to there, if it does so in time.
   * `undefined`: nobody can say what that is, as the feed is not whole; the database knows.
   */
  private async reached(mode: ReadMode): Promise<Floor | undefined> {
    const { feed, waitMs } = this.parts
    try {
      const atLeast = await this.wantedBy(mode)
      for (const position of atLeast) if (!feed.includes(position)) await feed.reached(position, waitMs)
      // The last is the strictest that was asked for; of the others nothing may be left open.
      if (atLeast.slice(0, -1).some((position) => !feed.includes(position))) return undefined
      return { atLeast: atLeast.at(-1) }
    } catch {
      return undefined
    }
  }

  private async wantedBy(mode: ReadMode): Promise<Position[]> {
    const { feed, writes } = this.parts
    if (mode === 'strict') return [await feed.now()]
    const own = await writes.floor((position) => feed.includes(position))
    const said = mode === 'bounded' ? undefined : mode.atLeast
    return [own, said].filter((position) => position !== undefined)
  }
}

/** Nothing up to here may be missing. */
interface Floor {
  readonly atLeast: Position | undefined
}

/** More reasons than this are not counted apart. */
const REASONS_MAX = 1000
