/**
 * The shapes of the texts that were asked, each worked out once. What the catalog means by a name may change (a view, a
 * function, a policy, the `search_path`), without a word among the row changes: so its fingerprint is taken now and
 * then, and with another one every shape is worked out again, under keys that are new.
 */
import type { Clock } from '../../../core/clock.ts'
import { type QueryShape, type ShapeContext, shapeOf } from '../sql/query-shape.ts'

/** After this the fingerprint is taken again, behind the readers' backs; after twice as long nothing is known without it. */
const FINGERPRINT_MS = 5000
const SHAPES_MAX = 5000

export class Shapes {
  private readonly context: ShapeContext
  private readonly clock: Clock
  private readonly known = new Map<string, QueryShape>()
  private readonly underWay = new Map<string, Promise<QueryShape>>()
  private fingerprint: string | undefined
  private takenAtMs = Number.NEGATIVE_INFINITY
  private taking: Promise<void> | undefined
  /** Changes whenever the catalog does. Part of the keys. */
  generation = 0

  constructor(context: ShapeContext, clock: Clock) {
    this.context = context
    this.clock = clock
  }

  /** The shape of a text if it is known without asking anybody; else it will be, soon. */
  peek(text: string): QueryShape | undefined {
    const ageMs = this.clock.monotonic() - this.takenAtMs
    if (ageMs >= FINGERPRINT_MS) void this.take().catch(() => {})
    const shape = ageMs < FINGERPRINT_MS * 2 ? this.known.get(text) : undefined
    if (!shape) void this.of(text).catch(() => {})
    return shape
  }

  /** The shape of a text. Rejects when the catalog cannot be asked. */
  async of(text: string): Promise<QueryShape> {
    if (this.clock.monotonic() - this.takenAtMs >= FINGERPRINT_MS) await this.take()
    const known = this.known.get(text)
    if (known) return known
    const found = this.underWay.get(text) ?? this.workOut(text)
    this.underWay.set(text, found)
    return await found
  }

  private async workOut(text: string): Promise<QueryShape> {
    const { generation } = this
    try {
      const shape = await shapeOf(text, this.context)
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

  private async ask(): Promise<void> {
    const atMs = this.clock.monotonic()
    const { rows } = await this.context.client.query(FINGERPRINT_SQL)
    const { fingerprint } = rows[0] as { fingerprint: string }
    this.takenAtMs = atMs
    if (fingerprint === this.fingerprint) return
    this.fingerprint = fingerprint
    this.generation++
    this.known.clear()
    this.underWay.clear()
  }
}

/** Everything in the catalog, outside of the system's own, that decides what a query means. */
const FINGERPRINT_SQL = `
  SELECT md5(concat_ws(',', current_setting('search_path'), current_user, current_setting('TimeZone'), current_setting('DateStyle'),
    string_agg(what, ',' ORDER BY what))) AS fingerprint
  FROM (SELECT concat_ws('.', 'rule', oid, xmin) FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'operator', oid, xmin) FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'cast', oid, xmin) FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT concat_ws('.', 'policy', oid, xmin) FROM pg_policy
    UNION ALL SELECT concat_ws('.', 'schema', oid, nspname) FROM pg_namespace WHERE oid >= 16384 AND nspname NOT LIKE 'pg\\_%'
    UNION ALL SELECT concat_ws('.', 'table', oid, relnamespace, relname, relkind, relpersistence, relrowsecurity, relnatts)
      FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't') c(what)`
