/**
 * Which tags the feed vouches for. Until the catalog was read, the shape of a tag has to do: a tag that is taken for a
 * table's by mistake is not served meanwhile, one that is missed would be served stale.
 */
import type { Catalog, CatalogTable } from './catalog.ts'
import { bulkTag, type TableName, tableTag } from './tags.ts'
import { ANY } from './watches.ts'

export class Coverage {
  /** Tag of each table, with the number of columns of its key where that is known. */
  private tables: ReadonlyMap<string, number | undefined>
  /** Whether the tables are known: named, or read from the publication. */
  private known: boolean
  private readonly rows: boolean

  /** @param rows whether single rows are told, or only whole tables: either way their tags are vouched for */
  constructor(names: readonly TableName[], rows: boolean) {
    this.tables = new Map(names.map((name) => [tableTag(name), undefined]))
    this.known = names.length > 0
    this.rows = rows
  }

  /** The catalog was read: these are the tables. */
  learn(tables: readonly (TableName & { readonly key: readonly string[] })[]): void {
    this.tables = new Map(tables.map((table) => [tableTag(table), table.key.length]))
    this.known = true
  }

  tags(): Iterable<string> {
    return this.tables.keys()
  }

  has(table: TableName): boolean {
    return this.tables.has(tableTag(table))
  }

  covers(tag: string): string | undefined {
    if (tag === ANY) return ANY
    const end = tag.search(/[:?]/)
    const table = end < 0 ? tag : tag.slice(0, end)
    if (!this.known) return bulkTag(table)
    if (!this.tables.has(table)) return undefined
    // `table?watch:values` is the tag of rows that are watched.
    const colon = tag[end] === ':' ? end : -1
    return colon < 0 || this.fits(tag.slice(colon + 1), this.tables.get(table)) ? bulkTag(table) : undefined
  }

  /** A key of several columns with too few or too many parts is the tag of no row: nothing would ever void it. */
  private fits(key: string, columns: number | undefined): boolean {
    if (!this.rows || key === '*' || columns === undefined || columns < 2) return true
    return key.split(',').length === columns
  }
}

/** The tables that a feed tells about: those that were named, or all of its publication. */
export function coveredTables(catalog: Catalog, names: readonly TableName[]): CatalogTable[] {
  if (names.length > 0) return names.flatMap((name) => catalog.find(name) ?? [])
  return catalog.tables.filter((table) => catalog.announced(table))
}
