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

/** What is watched. Two watches that say the same are one. */
export interface WatchedRows {
  readonly table: TableName
  /** Columns whose values tell rows apart, each of an exact type: equal values have equal text. May be none. */
  readonly columns: readonly string[]
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

/** More ranges than this under one combination of values are not told apart. */
const RANGES_MAX = 1000

/** A watch on rows of a table: made by `feed.watch`, for the life of the feed. */
export class Watch {
  readonly rows: WatchedRows
  /** The tag that stands for everything under this watch. */
  readonly tag: string
  /** By combination of values: the ranges that readers named, oldest first, by their tag. */
  private readonly ranges = new Map<string, Map<string, Range>>()
  private readonly changed: (tag: string) => number
  /** When it last began to tell more than before: see `Watches.sequence`. */
  changedAt: number

  /** @param changed called with a tag that is new; returns the number of that change */
  constructor(rows: WatchedRows, changed: (tag: string) => number) {
    this.rows = rows
    this.tag = tagOf(rows)
    this.changed = changed
    this.changedAt = changed(this.tag)
  }

  /** The tag of the rows with these values, in the order of the columns. */
  valuesTag(values: readonly string[]): string {
    return `${this.tag}:${values.map(escapeValue).join(',')}`
  }

  /**
   * The tag of the rows with these values whose range column lies in the range; changes give it from now on. Where there
   * are too many, the oldest is forgotten: its tag is handed to `forgotten`, which has to void what carries it.
   */
  rangeTag(values: readonly string[], range: Range, forgotten: (tag: string) => void): string {
    const key = this.valuesTag(values)
    const tag = `${key}#${range.low ?? ''}..${range.high ?? ''}`
    const named = this.ranges.get(key) ?? new Map<string, Range>()
    this.ranges.set(key, named)
    if (!named.delete(tag)) this.changedAt = this.changed(tag)
    named.set(tag, range)
    if (named.size <= RANGES_MAX) return tag
    const [oldest] = named.keys()
    named.delete(oldest!)
    forgotten(oldest!)
    return tag
  }

  /** The tags of the named ranges that hold the value; all of them for a value that has no place on the scale. */
  rangeTags(values: readonly string[], ordinal: bigint | undefined): string[] {
    const named = this.ranges.get(this.valuesTag(values)) ?? new Map<string, Range>()
    if (ordinal === undefined) return [...named.keys()]
    const inside = ({ low, high }: Range) =>
      (low === undefined || low <= ordinal) && (high === undefined || ordinal <= high)
    return [...named].filter(([, range]) => inside(range)).map(([tag]) => tag)
  }
}

/**
 * The watches of a feed, by the tag of their table.
 *
 * A transaction may be half read when a watch begins or a reader names a range: for what was read before, the tag of
 * the whole watch has to do. And what was announced before and is not visible yet names no tag that is new: the feed is
 * told of each, so that it counts as unsettled where its table does.
 */
export class Watches {
  private readonly byTable = new Map<string, Map<string, Watch>>()
  private readonly isNew: (table: string, tag: string) => void
  count = 0
  /** Grows whenever a watch tells more than before. */
  sequence = 0

  /** @param isNew told of each tag that is new, with the tag of its table */
  constructor(isNew: (table: string, tag: string) => void = () => {}) {
    this.isNew = isNew
  }

  /** The watch of these rows, made at the first call. */
  watch(rows: WatchedRows): Watch {
    const table = tableTag(rows.table)
    const watches = this.byTable.get(table) ?? new Map<string, Watch>()
    this.byTable.set(table, watches)
    const known = watches.get(tagOf(rows))
    if (known) return known
    const made = new Watch(rows, (tag) => {
      this.isNew(table, tag)
      return ++this.sequence
    })
    watches.set(made.tag, made)
    this.count++
    return made
  }

  of(table: string): Iterable<Watch> {
    return this.byTable.get(table)?.values() ?? []
  }

  /** Tags of the watches of a table that began to tell more after `sequence`. */
  *tagsSince(table: string, sequence: number): Iterable<string> {
    for (const { tag, changedAt } of this.of(table)) if (changedAt > sequence) yield tag
  }
}

function tagOf({ table, columns, range, used }: WatchedRows): string {
  const said = JSON.stringify([columns, range, used])
  return `${tableTag(table)}?${createHash('sha256').update(said).digest('base64url').slice(0, 16)}`
}

function escapeValue(value: string): string {
  return value.replace(/[%,#]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
