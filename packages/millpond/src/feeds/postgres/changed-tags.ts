/** The tags that one transaction's changes add up to: bounded, whatever the transaction's size. */
import { bulkTag } from './tags.ts'
import type { Watches } from './watches.ts'

/** More changed rows of one table in one commit than this are told as `table:*`. Default of `rowTagsMax`. */
export const ROW_TAGS_MAX = 1000

export class ChangedTags {
  /** Per table what its tags of changed rows end with: `:17`, `?watch:7`; `null` once only `table:*` will do. */
  private readonly tables = new Map<string, Set<string> | null>()
  private readonly rowTagsMax: number
  private readonly watches: Watches
  /** What the watches told when the first change was read. */
  private since: number

  constructor(rowTagsMax: number, watches: Watches) {
    this.rowTagsMax = rowTagsMax
    this.watches = watches
    this.since = watches.sequence
  }

  get empty(): boolean {
    return this.tables.size === 0
  }

  /** Whether all rows of the table are told already: their keys need not be read any more. */
  isBulk(table: string): boolean {
    return this.tables.get(table) === null
  }

  /** One row has changed. `undefined`: nobody can say which. */
  row(table: string, key: string | undefined): void {
    if (key === undefined) this.bulk(table)
    else this.ending(table, `:${key}`)
  }

  /** Rows that a watch of the table tells apart have changed. */
  watched(table: string, tag: string): void {
    this.ending(table, tag.slice(table.length))
  }

  /** Any row may have changed. */
  bulk(table: string): void {
    this.tables.set(table, null)
  }

  /** Takes in what a subtransaction changed. */
  add(other: ChangedTags): void {
    this.since = Math.min(this.since, other.since)
    for (const [table, endings] of other.tables) {
      if (endings === null) this.bulk(table)
      else for (const ending of endings) this.ending(table, ending)
    }
  }

  list(): string[] {
    const tags: string[] = []
    for (const [table, endings] of this.tables) {
      tags.push(table)
      if (endings === null) tags.push(bulkTag(table))
      else for (const ending of endings) tags.push(table + ending)
      tags.push(...this.watches.tagsSince(table, this.since))
    }
    return this.watches.withAny(tags)
  }

  private ending(table: string, ending: string): void {
    const endings = this.tables.get(table)
    if (endings === null) return
    if (endings === undefined) this.tables.set(table, new Set([ending]))
    else if (endings.size < this.rowTagsMax || endings.has(ending)) endings.add(ending)
    else this.bulk(table)
  }
}
