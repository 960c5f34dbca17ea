/**
 * Which tags a changed row gives. A row of a partition or child table counts for the tables above it too. Where the
 * stream does not carry what is needed to name the row (its old key, a column outside the replica identity), the
 * answer is `table:*`: never less than what changed.
 */
import type { Catalog, CatalogTable } from './catalog.ts'
import type { ChangedTags } from './changed-tags.ts'
import type { Coverage } from './coverage.ts'
import type { Relation } from './pgoutput.ts'
import { columnText, type RowChange } from './row.ts'
import { keyText, tableTag } from './tags.ts'
import { WatchedChanges } from './watched-changes.ts'
import type { Watches } from './watches.ts'

/** What is to be told of changes of one relation, per table that its rows belong to. */
interface Target {
  readonly tag: string
  /** Places of the key's columns in the relation, or undefined where the table has no key or the relation lacks it. */
  readonly keyAt: readonly number[] | undefined
  /** Whether an old row, when there is one, has the whole key; and whether there is one whenever the key changes. */
  readonly oldKeyKnown: boolean
  readonly watched: readonly WatchedChanges[]
}

export class RowTags {
  private catalog: Catalog
  private readonly coverage: Coverage
  private readonly watches: Watches
  /** Which watches the targets know of. */
  private watchesKnown = 0
  /** Per relation; `undefined` for one that the catalog does not know. */
  private targets = new WeakMap<Relation, readonly Target[] | undefined>()

  constructor(catalog: Catalog, coverage: Coverage, watches: Watches) {
    this.catalog = catalog
    this.coverage = coverage
    this.watches = watches
  }

  /** The catalog was read again: keys and families may differ. */
  update(catalog: Catalog): void {
    this.catalog = catalog
    this.watchesKnown = this.watches.version
    this.targets = new WeakMap()
  }

  knows(relation: Relation): boolean {
    return this.catalog.get(relation.oid) !== undefined
  }

  forget(relation: Relation): void {
    this.targets.delete(relation)
  }

  /** Adds the tags of one row. */
  row(change: RowChange, into: ChangedTags): void {
    const targets = this.targetsOf(change.relation)
    if (!targets) this.everything(into)
    for (const target of targets ?? []) if (!into.isBulk(target.tag)) this.rowOf(target, change, into)
  }

  /** Adds the tags of a relation whose rows all may have changed. */
  bulk(relation: Relation, into: ChangedTags): void {
    const targets = this.targetsOf(relation)
    if (!targets) this.everything(into)
    for (const { tag } of targets ?? []) into.bulk(tag)
  }

  /** A relation made since the catalog was read may be a part of any table. */
  private everything(into: ChangedTags): void {
    for (const tag of this.coverage.tags()) into.bulk(tag)
  }

  private rowOf(target: Target, change: RowChange, into: ChangedTags): void {
    const { kind, oldAt, newAt } = change
    if (kind !== 'insert' && !target.oldKeyKnown) into.bulk(target.tag)
    if (oldAt >= 0) into.row(target.tag, keyOf(target, change, oldAt))
    if (newAt >= 0) into.row(target.tag, keyOf(target, change, newAt))
    for (const watched of target.watched) for (const tag of watched.tagsOf(change)) into.watched(target.tag, tag)
  }

  private targetsOf(relation: Relation): readonly Target[] | undefined {
    if (this.watchesKnown !== this.watches.version) this.update(this.catalog)
    if (this.targets.has(relation)) return this.targets.get(relation)
    const table = this.catalog.get(relation.oid)
    const family = table && this.catalog.withAncestors(table).filter((one) => this.coverage.has(one))
    const targets = family?.map((one) => targetOf(one, relation, this.watches))
    this.targets.set(relation, targets)
    return targets
  }
}

function targetOf(table: CatalogTable, relation: Relation, watches: Watches): Target {
  const places = table.key.map((name) => relation.columns.findIndex((column) => column.name === name))
  const complete = places.length > 0 && places.every((place) => place >= 0)
  const inIdentity = places.every((place) => relation.columns[place]?.identity === true)
  const tag = tableTag(table)
  return {
    tag,
    keyAt: complete ? places : undefined,
    oldKeyKnown: complete && (relation.identity === 'f' || inIdentity),
    watched: Array.from(watches.of(tag), (watch) => new WatchedChanges(watch, relation)),
  }
}

/** A key column that was not sent with the new row because it is large and unchanged is in the old one, if there is one. */
function keyOf(target: Target, change: RowChange, at: number): string | undefined {
  if (!target.keyAt) return undefined
  const parts: string[] = []
  for (const index of target.keyAt) {
    let text = columnText(change.buffer, at, index)
    if (text === undefined && change.oldAt >= 0) text = columnText(change.buffer, change.oldAt, index)
    if (text === undefined || text === null) return undefined
    parts.push(text)
  }
  return keyText(parts)
}
