/**
 * Runs the queries of a pool and of the connections that it hands out: reads of known shape by the cache, everything else as it
 * is. What a connection is sent is noted, so that it is known whether it stands in a transaction, has settings of its own,
 * or has just written.
 */
import { callbackify } from 'node:util'
import { systemClock, timeLimit } from '../../../core/clock.ts'
import { durationMs } from '../../../core/duration.ts'
import { FeedError } from '../../../core/errors.ts'
import type { Position } from '../../../core/feed.ts'
import { silentLogger } from '../../../core/logger.ts'
import { facadeOf } from '../../facade.ts'
import { OwnWrites } from '../../own-writes.ts'
import { SharedQuestion } from '../../shared-question.ts'
import { DDL_TABLE } from '../ddl-triggers.ts'
import type { PostgresFeed } from '../feed.ts'
import { type KeptAnswer, keepAnswer, TEXTS } from './answer.ts'
import { type AuditOptions, Auditor } from './auditor.ts'
import type { CachePoolOptions } from './cache-pool.ts'
import { type ConnectionState, ConnectionStates, type Effect } from './connection-state.ts'
import { type Explanation, explain } from './explanation.ts'
import { Origins } from './origins.ts'
import { type Parse, parserOf } from './parser.ts'
import type { PgPool, PgPoolClient, PgResult } from './pg-pool.ts'
import { PoolEmitter } from './pool-events.ts'
import type { PoolStatus } from './pool-status.ts'
import { QueryCache, type Runner } from './query-cache.ts'
import { type QueryCall, readCall } from './query-call.ts'
import { type KnownShape, Shapes } from './shapes.ts'

/** The pool and its connections, called with whatever the caller gave. */
type Plain<T> = Omit<T, 'query' | 'connect'> & {
  query(...args: readonly unknown[]): Promise<unknown>
  connect(): Promise<PlainClient>
}
export type PlainClient = PgPoolClient & {
  query(...args: readonly unknown[]): Promise<unknown>
  release(error?: unknown): void
}

/** A wire that is dead is noticed by the feed in its own time. */
function late(): never {
  throw new FeedError('the server did not say in time where it stands')
}

/** Why a statement on a connection that somebody holds goes to the database. */
const NOT_IDLE = 'the connection is in a transaction, or busy'
const NEW = 'the text is new, and its connection is held'

/** Of what is not known. */
const ANYTHING: Effect = { mayWrite: true, mayChangeSession: true }

export class PoolQueries {
  private readonly pool: Plain<PgPool>
  private readonly feed: PostgresFeed
  private readonly writes: OwnWrites
  private readonly states: ConnectionStates
  private readonly origins: Origins
  private readonly facades = new WeakMap<PgPoolClient, PgPoolClient>()
  private readonly cache: QueryCache
  private readonly auditor: Auditor | undefined
  readonly events: PoolEmitter
  /** Needs the parser. */
  private readonly loading: Promise<Shapes>
  private shapes: Shapes | undefined

  constructor(pool: PgPool, options: CachePoolOptions) {
    const { cache, feed, name = 'sql', read = 'bounded', wait = 50, role } = options
    const { parser, audit, logger = silentLogger, clock = systemClock } = options
    this.pool = pool as Plain<PgPool>
    this.feed = feed
    const waitMs = durationMs(wait, 'wait')
    const present = new SharedQuestion(() => timeLimit(clock, waitMs, () => feed.now(), late))
    this.writes = new OwnWrites(() => present.ask())
    this.states = new ConnectionStates(() => this.writes.wrote())
    this.origins = new Origins(feed, () => this.shapes?.session)
    this.events = new PoolEmitter(name, logger, feed, clock)
    const parsing = parserOf(parser)
    this.auditor = audit && this.auditorOf(audit, parsing, options)
    this.cache = new QueryCache({
      cache,
      feed,
      writes: this.writes,
      name: role === undefined ? name : `${name}/${role}`,
      read,
      waitMs,
      now: (): Promise<Position> => present.ask(),
      events: this.events,
      auditor: this.auditor,
    })
    this.loading = parsing.then((parse) => {
      this.shapes = new Shapes({ parse, client: pool, feed, byRole: role !== undefined }, clock)
      return this.shapes
    })
    // Told to whoever asks a query.
    this.loading.catch(() => {})
    cache.on?.('invalidate', ({ tags }) => tags?.includes(DDL_TABLE) && this.shapes?.expire())
    cache.on?.('feedReset', () => this.shapes?.expire())
  }

  query(args: readonly unknown[]): unknown {
    const call = readCall(args)
    if (call) return answered(call, this.queryPool(call))
    // A connection that is not known runs it: what it writes counts once it has ended.
    const wrote = (): void => this.writes.wrote()
    const result = this.pool.query(
      ...args.map((arg) => (typeof arg === 'function' ? before(wrote, arg as Callback) : arg)),
    )
    void Promise.resolve(result).then(wrote, wrote)
    return result
  }

  /** A connection for whoever wants one, with queries that are answered from the cache while it is idle. */
  connect(args: readonly unknown[]): unknown {
    const [callback] = args
    const connected = this.pool.connect().then((client) => this.facadeFor(client))
    if (typeof callback !== 'function') return connected
    callbackify(() => connected)((error, client) => callback(error ?? undefined, client, client?.release ?? (() => {})))
    return undefined
  }

  async explain(sql: string): Promise<Explanation> {
    return explain(await (await this.loading).of(sql), this.feed.status().mode === 'replication')
  }

  status(): PoolStatus {
    const { reads, loads, kept } = this.cache.counts
    const passed = Object.fromEntries(this.cache.passed)
    const counts = { hits: reads - loads, loads, kept, passed, texts: this.shapes?.size ?? 0 }
    return { ...counts, audit: this.auditor?.report, feed: this.feed.status() }
  }

  private queryPool(call: QueryCall): Promise<unknown> {
    const shape = this.shapes?.peek(call.text)
    return shape ? this.readOnPool(call, shape) : this.readNew(call)
  }

  /** A text that is not known yet. */
  private async readNew(call: QueryCall): Promise<unknown> {
    const shapes = await this.loading
    const shape = await shapes.of(call.text).catch(() => undefined)
    if (shape) return await this.readOnPool(call, shape)
    return await this.cache.pass(call, undefined, this.runner(call), 'the catalog could not be asked')
  }

  private readOnPool(call: QueryCall, shape: KnownShape): Promise<unknown> {
    if (shape.mayChangeSession) return this.passOnPool(call, shape)
    return this.cache.read(call, shape, this.runner(call))
  }

  private runner(call: QueryCall): Runner {
    return {
      waits: true,
      pass: () => this.pool.query(call.config),
      load: (began) => this.loadOnPool(call, began),
    }
  }

  /** What changes a session runs on a connection that is known, so that its state is. */
  private async passOnPool(call: QueryCall, shape: KnownShape): Promise<unknown> {
    const pass = (): Promise<unknown> =>
      this.onPool((client) => {
        const run = (): unknown => client.query(call.config)
        return this.states.of(client).send(shape, run, undefined) as Promise<unknown>
      })
    return await this.cache.pass(call, shape, { pass }, shape.reasons[0] ?? 'it may change settings')
  }

  /** What is to be kept is asked on a connection that is known. */
  private loadOnPool(call: QueryCall, began: () => void): ReturnType<Runner['load']> {
    return this.onPool((client) => {
      began()
      return this.load(client, call)
    })
  }

  private async onPool<T>(run: (client: PlainClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect()
    let failure: unknown
    // Without a listener the end of a connection that is in use ends the process.
    const onError = (error: Error): void => {
      failure = error
    }
    client.on?.('error', onError)
    try {
      return await run(client)
    } catch (error) {
      // An error of a statement has a code of five characters; anything else is of the connection.
      if (String((error as { code?: unknown }).code).length !== 5) failure ??= error
      throw error
    } finally {
      client.removeListener?.('error', onError)
      client.release(failure)
    }
  }

  private async load(client: PlainClient, call: QueryCall): ReturnType<Runner['load']> {
    const state = this.states.of(client)
    const source = state.isIdle ? await this.origins.sourceOf(client, state.isChanged) : undefined
    if (source) state.isChanged = false
    const result = (await client.query(configOf(call))) as PgResult
    // Not kept anyway: this caller's own parsers are applied as for the others.
    return { source: source && (await this.origins.wasSource(client, source)) ? source : undefined, result }
  }

  private auditorOf(audit: AuditOptions, parsing: Promise<Parse>, options: CachePoolOptions): Auditor {
    const { cache, feed, logger, clock = systemClock } = options
    const again = (calls: readonly QueryCall[]) => this.onPool((client) => this.again(client, calls))
    return new Auditor({
      ...audit,
      ...{ feed, clock, again },
      parse: () => parsing,
      forget: (key) => cache.delete(key),
      tell: (found) => {
        if (found.verdict === 'stale') logger?.error({ text: found.text }, 'an answer from the cache was stale')
        this.events.emit('audit', found)
      },
    })
  }

  /** Queries that were answered from the cache, in one snapshot; `undefined` where the connection has not all that was told. */
  private async again(client: PlainClient, calls: readonly QueryCall[]): Promise<KeptAnswer[] | undefined> {
    const state = this.states.of(client)
    if (!state.isIdle || !(await this.origins.sourceOf(client, state.isChanged))) return undefined
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    try {
      const answers: KeptAnswer[] = []
      for (const call of calls) answers.push(keepAnswer((await client.query(configOf(call))) as PgResult))
      return answers
    } finally {
      await client.query('ROLLBACK')
    }
  }

  private facadeFor(client: PlainClient): PlainClient {
    const facade =
      this.facades.get(client) ?? facadeOf(client, { query: (...args: unknown[]) => this.queryOn(client, args) })
    this.facades.set(client, facade)
    return facade as PlainClient
  }

  /** A query on a connection that somebody holds. */
  queryOn(client: PlainClient, args: readonly unknown[]): unknown {
    const call = readCall(args)
    const state = this.states.of(client)
    // Who holds a connection waits for nobody who may need one: a text that is new is not analysed now.
    const { isIdle } = state
    const shape = call && isIdle ? this.shapes?.peek(call.text) : undefined
    if (call && shape && shape.reasons.length === 0)
      return answered(
        call,
        state.inTurn(() => this.readOn(client, state, call, shape)),
      )
    if (call) this.cache.passes(call.text, isIdle ? (shape?.reasons[0] ?? NEW) : NOT_IDLE)
    const effect = shape ?? (call && this.shapes?.effectOf(call.text)) ?? ANYTHING
    const [first] = args
    const isSelfRunning = typeof (first as { submit?: unknown } | null)?.submit === 'function'
    const otherwise = isSelfRunning ? { value: first } : call?.callback ? { value: undefined } : undefined
    return state.send(effect, () => client.query(...args), otherwise)
  }

  private async readOn(
    client: PlainClient,
    state: ConnectionState,
    call: QueryCall,
    shape: KnownShape,
  ): Promise<unknown> {
    const pass = (): Promise<unknown> => client.query(call.config)
    // What was sent before it in the same turn may have begun a transaction.
    if (!state.isIdle) return await this.cache.pass(call, shape, { pass }, NOT_IDLE)
    if (state.isChanged && !(await this.origins.isUsual(client)))
      return await this.cache.pass(call, shape, { pass }, 'the connection has settings of its own')
    state.isChanged = false
    return await this.cache.read(call, shape, { waits: false, pass, load: () => this.load(client, call) })
  }
}

/** As it is asked for the cache: texts where the caller brings parsers of his own. */
function configOf(call: QueryCall): object {
  return call.types ? { ...call.config, types: TEXTS, rowMode: 'array' } : call.config
}

/** The promise, or where the caller gave a callback, that. */
function answered({ callback }: QueryCall, result: Promise<unknown>): unknown {
  if (!callback) return result
  callbackify(() => result)(callback)
  return undefined
}

type Callback = (...args: unknown[]) => unknown

function before(first: () => void, then: Callback): Callback {
  return (...args) => {
    first()
    return then(...args)
  }
}
