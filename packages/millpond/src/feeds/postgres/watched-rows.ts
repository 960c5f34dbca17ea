/**
 * Rows of a table that somebody depends on, told apart by the values of some columns: the query `WHERE tenant_id = 7 AND
 * price < 20` depends on the rows of tenant 7 in that range, before and after a change. The feed computes the same tags
 * from a changed row as a reader computes from its conditions, so that a change voids what it can matter to.
 *
 * A watch gives three kinds of tags: its own, `orders?k3x9`, for changes whose old values are not known; one for each
 * combination of values, `orders?k3x9:7`; and where it has a range, one for each range that a reader has named,
 * `orders?k3x9:7#0..20`. The name of a watch depends only on what it watches, so all processes give it the same one.
 */
import { createHash } from 'node:crypto'
import { type TableName, tableTag } from './tags.ts'
import type { ValueKind } from './value-kinds.ts'

/** What is watched. Two watches that say the same are one. */
export interface WatchedRows {
  readonly table: TableName
  /** Columns whose values tell rows apart. May be none. */
  readonly columns: readonly string[]
  /**
   * What the values are, where only the stream can tell whether a column is of a type that fits. Left out: each column is
   * known to be of an exact type, whose equal values have equal text.
   */
  readonly kinds?: readonly ValueKind[]
  /** One more column, whose values are compared with ranges. */
  readonly range?: string
  /** Updates that change none of these do not matter. `undefined`: any may. */
  readonly used: readonly string[] | undefined
}

/** Bounds of a range, both inclusive, on the scale of `ordinalOf`. */
export interface Range {
  readonly low: bigint | undefined
  readonly high: bigint | undefined
}

/** A range that a reader has named, and when: see `Watches.sequence`. */
interface NamedRange extends Range {
  readonly values: readonly string[]
  readonly namedAt: number
}

/** Ranges under one combination of values, and all ranges of a watch: beyond, the oldest are forgotten. */
const RANGES_MAX = 1000
const RANGES_OF_ALL_MAX = 10_000

/** What a watch tells its feed. */
export interface WatchHost {
  /** The watch tells more than before: `tag` is new. Returns the number of that change. */
  began(tag: string): number
  /** A reader is about to depend on the watch: it has to be there. */
  used(watch: Watch): void
  /** Changes give these tags no more: what carries them has to be voided. */
  forgotten(tags: readonly string[]): void
}

/** A watch on rows of a table, made by `feed.watch`. One that nobody used for long is forgotten, and begins anew when it is used. */
export class Watch {
  readonly rows: WatchedRows
  /** The tag that stands for everything under this watch: whoever depends on a part of it carries it too. */
  readonly tag: string
  /** When it last began to tell more than before: see `Watches.sequence`. */
  changedAt = 0
  /** When it began, or began anew. */
  begunAt = 0
  /** By combination of values, the one used longest ago first: the ranges that readers named, oldest first, by their tag. */
  private readonly ranges = new Map<string, Map<string, NamedRange>>()
  private rangeCount = 0
  private readonly host: WatchHost

  constructor(rows: WatchedRows, host: WatchHost) {
    this.rows = rows
    this.tag = watchTag(rows)
    this.host = host
  }

  /** The watch begins, or begins anew, with no ranges. */
  begin(): void {
    this.ranges.clear()
    this.rangeCount = 0
    this.begunAt = this.host.began(this.tag)
    this.changedAt = this.begunAt
  }

  /** The tags of what depends on the rows with one of these combinations of values, in the range; changes give them from now on. */
  tags(combinations: readonly (readonly string[])[], range?: Range): string[] {
    this.host.used(this)
    return [this.tag, ...combinations.map((values) => (range ? this.rangeTag(values, range) : this.valuesTag(values)))]
  }

  /** The tag of the rows with these values, in the order of the columns. */
  valuesTag(values: readonly string[]): string {
    return `${this.tag}:${values.map(escapeValue).join(',')}`
  }

  /** The tags of the named ranges that hold the value; all of them for a value that has no place on the scale. */
  rangeTags(values: readonly string[], ordinal: bigint | undefined): string[] {
    const named = this.ranges.get(this.valuesTag(values))
    if (!named) return []
    if (ordinal === undefined) return [...named.keys()]
    const inside = ({ low, high }: Range) =>
      (low === undefined || low <= ordinal) && (high === undefined || ordinal <= high)
    return [...named].filter(([, range]) => inside(range)).map(([tag]) => tag)
  }

  /** How many ranges are named. */
  get size(): number {
    return this.rangeCount
  }

  /** The ranges that were named after a change of that number. */
  namedSince(sequence: number): NamedRange[] {
    return [...this.ranges.values()].flatMap((named) => [...named.values()].filter(({ namedAt }) => namedAt > sequence))
  }

  /** Changes give the tag of this range no more. */
  forgetRange(tag: string): void {
    const end = tag.lastIndexOf('#')
    const named = this.ranges.get(tag.slice(0, end))
    if (end > 0 && named?.delete(tag)) this.rangeCount--
  }

  private rangeTag(values: readonly string[], range: Range): string {
    const key = this.valuesTag(values)
    const tag = `${key}#${range.low ?? ''}..${range.high ?? ''}`
    const named = this.ranges.get(key) ?? new Map<string, NamedRange>()
    this.ranges.delete(key)
    this.ranges.set(key, named)
    const known = named.get(tag)
    if (known) named.delete(tag)
    else {
      this.changedAt = this.host.began(tag)
      this.rangeCount++
    }
    named.set(tag, known ?? { ...range, values, namedAt: this.changedAt })
    if (named.size > RANGES_MAX) this.forgetOldest(named)
    while (this.rangeCount > RANGES_OF_ALL_MAX) this.forgetCombination()
    return tag
  }

  private forgetOldest(named: Map<string, NamedRange>): void {
    const [oldest] = named.keys()
    named.delete(oldest!)
    this.rangeCount--
    this.host.forgotten([oldest!])
  }

  private forgetCombination(): void {
    const [[key, named]] = this.ranges as unknown as [[string, Map<string, NamedRange>]]
    this.ranges.delete(key)
    this.rangeCount -= named.size
    this.host.forgotten([...named.keys()])
  }
}

/** The name of a watch. */
export function watchTag({ table, columns, kinds, range, used }: WatchedRows): string {
  const said = JSON.stringify([columns, range, used, kinds])
  return `${tableTag(table)}?${createHash('sha256').update(said).digest('base64url').slice(0, 16)}`
}

function escapeValue(value: string): string {
  return value.replace(/[%,#]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
