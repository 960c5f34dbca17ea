/**
 * The shapes of the texts that were asked, each worked out once. What the catalog means by a name may change (a view, a
 * function, a policy, the `search_path`), without a word among the row changes: so its fingerprint is taken now and
 * then, and with another one every shape is worked out again, under keys that are new.
 */
import type { Clock } from '../../../core/clock.ts'
import type { PostgresFeed } from '../feed.ts'
import { describeText, type QueryShape, type ShapeContext, shapeOf } from '../sql/query-shape.ts'
import type { Effect } from './connection-state.ts'

/** A shape, with the generation of the catalog under which it holds: part of the keys of its answers. */
export interface KnownShape extends QueryShape {
  readonly generation: number
  readonly text: string
  /** What the keys of its answers begin with, by the form of the rows, once somebody has asked for it. */
  readonly prefixes: { texts?: string; arrays?: string; objects?: string }
}

/** How long a reader waits for a change of the catalog that was announced to be visible. */
const SETTLE_MS = 50
/** After this the fingerprint is taken again, behind the readers' backs; after twice as long nothing is known without it. */
const FINGERPRINT_MS = 5000
const SHAPES_MAX = 5000
/** Longer texts than this are not parsed only to learn whether they change the session. */
const PARSED_MAX = 100_000

export class Shapes {
  private readonly context: ShapeContext & { readonly feed: Pick<PostgresFeed, 'settled'> }
  private readonly clock: Clock
  private readonly known = new Map<string, KnownShape>()
  private readonly effects = new Map<string, Effect>()
  private readonly underWay = new Map<string, Promise<KnownShape>>()
  private fingerprint: string | undefined
  private takenAtMs = Number.NEGATIVE_INFINITY
  private taking: Promise<void> | undefined
  private generation = 0
  /** Grows with each change of the catalog that is told. */
  private changes = 0
  /** How many of them the fingerprint is known to include. */
  private included = 0
  /** What the settings are with which texts are analysed: see `SESSION`. */
  session: string | undefined

  constructor(context: ShapeContext & { readonly feed: Pick<PostgresFeed, 'settled'> }, clock: Clock) {
    this.context = context
    this.clock = clock
  }

  /** The catalog has changed, or may have: nothing is known until it was asked again. */
  expire(): void {
    this.changes++
    this.takenAtMs = Number.NEGATIVE_INFINITY
  }

  /** The shape of a text if it is known without asking anybody; else it will be, soon. */
  peek(text: string): KnownShape | undefined {
    const ageMs = this.clock.monotonic() - this.takenAtMs
    if (ageMs >= FINGERPRINT_MS) void this.take().catch(() => {})
    const shape = ageMs < FINGERPRINT_MS * 2 ? this.known.get(text) : undefined
    if (!shape) void this.of(text).catch(() => {})
    return shape
  }

  /** The shape of a text. Rejects when the catalog cannot be asked. */
  async of(text: string): Promise<KnownShape> {
    if (this.clock.monotonic() - this.takenAtMs >= FINGERPRINT_MS) await this.take()
    const known = this.known.get(text)
    if (known) return known
    const found = this.underWay.get(text) ?? this.workOut(text)
    this.underWay.set(text, found)
    return await found
  }

  /** What a statement may do besides giving rows, as far as that can be said at once. */
  effectOf(text: string): Effect {
    const known = this.known.get(text) ?? this.effects.get(text)
    if (known) return known
    if (text.length > PARSED_MAX)
      return { mayWrite: true, mayChangeSession: !/^\s*(insert|update|delete|copy)\b/i.test(text) }
    const { kind, mayWrite, mayChangeSession, functions } = describeText(text, this.context)
    const callsUnknown = kind === 'read' && functions.length > 0
    const effect = { mayWrite: mayWrite || callsUnknown, mayChangeSession: mayChangeSession || callsUnknown }
    if (this.effects.size >= SHAPES_MAX) this.effects.clear()
    this.effects.set(text, effect)
    return effect
  }

  /** How many texts are known. */
  get size(): number {
    return this.known.size
  }

  private async workOut(text: string): Promise<KnownShape> {
    const { generation } = this
    try {
      const shape: KnownShape = { ...(await shapeOf(text, this.context)), generation, text, prefixes: {} }
      if (this.known.size >= SHAPES_MAX) this.known.clear()
      if (generation === this.generation) this.known.set(text, shape)
      return shape
    } finally {
      this.underWay.delete(text)
    }
  }

  private take(): Promise<void> {
    this.taking ??= this.ask().finally(() => {
      this.taking = undefined
    })
    return this.taking
  }

  /** What was announced has to be visible first. Where that takes long, or more is announced meanwhile, the next reader asks again. */
  private async ask(): Promise<void> {
    const { changes, clock } = this
    const beganAtMs = clock.monotonic()
    if (changes > this.included) await this.context.feed.settled(SETTLE_MS)
    const atMs = clock.monotonic()
    const isVisible = changes === this.included || atMs - beganAtMs < SETTLE_MS
    const { rows } = await this.context.client.query(FINGERPRINT_SQL)
    const { fingerprint, session } = rows[0] as { fingerprint: string; session: string }
    if (isVisible) this.included = changes
    if (isVisible && changes === this.changes) this.takenAtMs = atMs
    this.session = session
    if (fingerprint === this.fingerprint) return
    this.fingerprint = fingerprint
    this.generation++
    this.known.clear()
    this.underWay.clear()
  }
}

/** The settings that decide what a text means and how values are written, and whether temporary tables hide others. */
export const SESSION: string = `concat_ws(' ', current_user, ${[
  ...['search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', 'row_security', 'extra_float_digits', 'bytea_output'],
  ...['lc_monetary', 'lc_numeric', 'lc_time', 'default_text_search_config', 'xmlbinary', 'array_nulls'],
  ...['standard_conforming_strings', 'transform_null_equals'],
]
  .map((name) => `current_setting('${name}')`)
  .join(', ')}, (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()))`

/** Everything in the catalog, outside of the system's own, that decides what a query means. */
const FINGERPRINT_SQL = `
  SELECT ${SESSION} AS session, md5(${SESSION} || string_agg(what, ',' ORDER BY what)) AS fingerprint
  FROM (SELECT concat_ws('.', 'rule', oid, xmin) FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'operator', oid, xmin) FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'cast', oid, xmin) FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'policy', oid, xmin) FROM pg_policy
    UNION ALL SELECT concat_ws('.', 'column', attrelid, attnum, a.xmin) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
      WHERE attrelid >= 16384 AND attnum > 0 AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't'
    UNION ALL SELECT concat_ws('.', 'type', oid, xmin) FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e')
    UNION ALL SELECT concat_ws('.', 'label', oid, xmin) FROM pg_enum
    UNION ALL SELECT concat_ws('.', 'published', oid, xmin) FROM pg_publication_rel
    UNION ALL SELECT concat_ws('.', 'child', inhrelid, inhparent) FROM pg_inherits
    UNION ALL SELECT concat_ws('.', 'schema', oid, nspname) FROM pg_namespace WHERE oid >= 16384 AND nspname NOT LIKE 'pg\\_%'
    UNION ALL SELECT concat_ws('.', 'table', oid, relnamespace, relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relnatts, relreplident, relacl)
      FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't') c(what)`
