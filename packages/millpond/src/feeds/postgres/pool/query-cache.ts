/** Answers queries from the cache where that can be proven right, and from the database everywhere else. */
import type { Position } from '../../../core/feed.ts'
import type { PostgresFeed } from '../feed.ts'
import type { QueryShape } from '../sql/query-shape.ts'
import { handOut, type KeptAnswer, keepAnswer } from './answer.ts'
import type { OwnWrites } from './own-writes.ts'
import { parameterKey } from './parameter-key.ts'
import type { PgResult } from './pg-pool.ts'
import type { QueryCall, ReadMode } from './query-call.ts'
import type { Shapes } from './shapes.ts'

/** The slice of a cache that is needed here. */
export interface QueryCacheStore {
  getOrSet<V>(
    key: string,
    load: (ctx: { skip(value: V): V }) => Promise<V>,
    options: { tags: readonly string[]; ttl: 'forever'; atLeast?: Position },
  ): Promise<V>
}

export interface QueryCacheParts {
  readonly cache: QueryCacheStore
  readonly feed: Pick<PostgresFeed, 'includes' | 'reached' | 'now'>
  readonly shapes: Shapes
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
  /** Keys whose load waits for a connection. */
  private readonly waiting = new Map<string, number>()

  constructor(parts: QueryCacheParts) {
    this.parts = parts
  }

  /** The answer of a query whose shape is known. */
  async read(call: QueryCall, shape: QueryShape, runner: Runner): Promise<unknown> {
    const parameters = shape.reasons.length === 0 ? parameterKey(call.values) : undefined
    if (!parameters) return await this.pass(shape, runner)
    const { cache, name, shapes } = this.parts
    const key = JSON.stringify([name, shapes.generation, call.asArrays, call.text, parameters])
    const floor = await this.reached(call.read ?? this.parts.read)
    if (!floor || (!runner.waits && this.waiting.has(key))) return await this.pass(shape, runner)
    const { atLeast } = floor
    const tags = shape.dependencies.flatMap((dependency) => dependency.tags(call.values))
    const kept = await cache.getOrSet<KeptAnswer>(
      key,
      async (ctx) => {
        const { result, isSure } = await this.load(key, runner)
        const answer = keepAnswer(result)
        return isSure ? answer : ctx.skip(answer)
      },
      { tags, ttl: 'forever', ...(atLeast !== undefined && { atLeast }) },
    )
    return handOut(kept)
  }

  /** A statement goes to the database; whatever is no plain read may have written. */
  async pass(shape: QueryShape | undefined, runner: Pick<Runner, 'pass'>): Promise<unknown> {
    try {
      return await runner.pass()
    } finally {
      if (shape?.mayWrite !== false) this.parts.writes.wrote()
    }
  }

  private async load(key: string, runner: Runner): ReturnType<Runner['load']> {
    const { waiting } = this
    if (!runner.waits) return await runner.load(() => {})
    waiting.set(key, (waiting.get(key) ?? 0) + 1)
    let isWaiting = true
    const began = (): void => {
      if (!isWaiting) return
      isWaiting = false
      const count = waiting.get(key)! - 1
      if (count === 0) waiting.delete(key)
      else waiting.set(key, count)
    }
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
  private async reached(mode: ReadMode): Promise<{ readonly atLeast: Position | undefined } | undefined> {
    const { feed, waitMs } = this.parts
    try {
      const atLeast = await this.wantedBy(mode)
      if (atLeast !== undefined && !feed.includes(atLeast)) await feed.reached(atLeast, waitMs)
      return { atLeast }
    } catch {
      return undefined
    }
  }

  private async wantedBy(mode: ReadMode): Promise<Position | undefined> {
    const { feed, writes } = this.parts
    if (mode === 'strict') return await feed.now()
    return mode === 'bounded' ? await writes.floor((position) => feed.includes(position)) : mode.atLeast
  }
}
