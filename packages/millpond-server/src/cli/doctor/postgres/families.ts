/** Tables with their partitions and children: changes are announced under the names of the parts that rows live in. */
import type { TableFacts } from './table-facts.ts'

export class Families {
  /** The tables that are looked at; a partition only where the table above it is not among them. */
  readonly covered: readonly TableFacts[]
  private readonly byOid: ReadonlyMap<number, TableFacts>

  constructor(tables: readonly TableFacts[]) {
    this.byOid = new Map(tables.map((table) => [table.oid, table]))
    this.covered = tables.filter(
      (table) => table.named && !this.above(table).some((one) => one.named && one.kind === 'p'),
    )
  }

  /** The tables above it, at every level. */
  above({ parents }: TableFacts): TableFacts[] {
    const direct = parents.flatMap((oid) => this.byOid.get(oid) ?? [])
    return direct.flatMap((table) => [table, ...this.above(table)])
  }

  /** The table itself, its partitions and children. */
  withParts(table: TableFacts): TableFacts[] {
    return [...this.byOid.values()].filter((one) => one === table || this.above(one).includes(table))
  }

  /** The parts that rows live in and whose changes can be in the log. */
  leaves(table: TableFacts): TableFacts[] {
    return this.withParts(table).filter(({ kind, persistence }) => kind === 'r' && persistence === 'p')
  }

  /** Whether the publication announces it: a partition comes with a partitioned table above it, a child does not. */
  isAnnounced(table: TableFacts): boolean {
    return table.isPublished || this.above(table).some(({ isPublished, kind }) => isPublished && kind === 'p')
  }
}

/** Its changes can be told: a permanent table, with rows or with partitions. */
export function isTellable({ kind, persistence }: TableFacts): boolean {
  return (kind === 'r' || kind === 'p') && persistence === 'p'
}

/** Whether PostgreSQL can say which row was updated or deleted. */
export function isIdentified({ identity, key, identityColumns }: TableFacts): boolean {
  if (identity === 'f') return true
  return identity === 'd' ? key.length > 0 : identity === 'i' && identityColumns.length > 0
}
