/**
 * Reads the catalog again, now and then and when the stream gives reason to, and tells what its changes void:
 * partitions that came or went with their rows, and keys that are others now, without a word among the row changes.
 */
import type { Clock, Timer } from '../../core/clock.ts'
import { type Catalog, type CatalogTable, readCatalog } from './catalog.ts'
import type { Queryable } from './client.ts'
import { type Coverage, coveredTables } from './coverage.ts'
import type { TableName } from './tags.ts'
import { bulkTag, tableTag } from './tags.ts'

/** What DDL changes silently is found within this time. */
const CATALOG_MS = 5000

export interface CatalogWatchOptions {
  readonly clock: Clock
  readonly client: Queryable
  readonly tables: readonly TableName[]
  readonly publication: string | undefined
  readonly coverage: Coverage
  /** A part of the covered tables whose changes would not be told; `undefined` when there is none. */
  readonly lost: (catalog: Catalog, covered: readonly CatalogTable[]) => CatalogTable | undefined
  /** Tables whose rows may be others now: what was read is visible already. */
  readonly changed: (catalog: Catalog, tags: readonly string[]) => void
  readonly failed: (error: Error) => void
}

export class CatalogWatch {
  catalog: Catalog
  private readonly options: CatalogWatchOptions
  private timer: Timer | undefined
  private reading = false
  private stopped = false

  constructor(catalog: Catalog, options: CatalogWatchOptions) {
    this.catalog = catalog
    this.options = options
    this.schedule()
  }

  /** Reads the catalog now, unless that is under way. */
  look(): void {
    if (this.reading || this.stopped) return
    this.reading = true
    const { client, tables, publication, failed } = this.options
    readCatalog(client, tables, publication)
      .then((catalog) => this.compare(catalog))
      .catch((error: unknown) => failed(error as Error))
      .finally(() => {
        this.reading = false
      })
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  private schedule(): void {
    this.timer = this.options.clock.after(CATALOG_MS, () => {
      this.look()
      this.schedule()
    })
  }

  private compare(catalog: Catalog): void {
    if (this.stopped) return
    const { tables, coverage, lost, changed } = this.options
    const before = shapes(this.catalog, tables)
    const covered = coveredTables(catalog, tables)
    const gone = lost(catalog, covered)
    if (gone) throw new Error(`changes of ${tableTag(gone)} are not announced any more`)
    if (covered.length < before.size) throw new Error('a table that was told about is gone')
    this.catalog = catalog
    coverage.learn(covered)
    const tags = [...shapes(catalog, tables)].filter(([tag, shape]) => before.get(tag) !== shape).map(([tag]) => tag)
    changed(
      catalog,
      tags.flatMap((tag) => [tag, bulkTag(tag)]),
    )
  }
}

function shapes(catalog: Catalog, tables: readonly TableName[]): Map<string, string> {
  return new Map(coveredTables(catalog, tables).map((table) => [tableTag(table), catalog.shapeOf(table)]))
}
