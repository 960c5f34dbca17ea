/** The tags that one transaction's changes add up to: bounded, whatever the transaction's size. */
import { bulkTag } from './tags.ts'

/** More changed rows of one table in one commit than this are told as `table:*`. Default of `rowTagsMax`. */
export const ROW_TAGS_MAX = 1000

export class ChangedTags {
  /** Per table its changed keys; `null` once only `table:*` will do. */
  private readonly tables = new Map<string, Set<string> | null>()
  private readonly rowTagsMax: number

  constructor(rowTagsMax: number) {
    this.rowTagsMax = rowTagsMax
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
    const keys = this.tables.get(table)
    if (keys === null) return
    if (key === undefined) this.bulk(table)
    else if (keys === undefined) this.tables.set(table, new Set([key]))
    else if (keys.size < this.rowTagsMax || keys.has(key)) keys.add(key)
    else this.bulk(table)
  }

  /** Any row may have changed. */
  bulk(table: string): void {
    this.tables.set(table, null)
  }

  /** Takes in what a subtransaction changed. */
  add(other: ChangedTags): void {
    for (const [table, keys] of other.tables) {
      if (keys === null) this.bulk(table)
      else for (const key of keys) this.row(table, key)
    }
  }

  list(): string[] {
    const tags: string[] = []
    for (const [table, keys] of this.tables) {
      tags.push(table)
      if (keys === null) tags.push(bulkTag(table))
      else for (const key of keys) tags.push(`${table}:${key}`)
    }
    return tags
  }
}
