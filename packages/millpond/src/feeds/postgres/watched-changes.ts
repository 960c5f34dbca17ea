/**
 * Which tags of a watch a changed row gives: those of its old values and those of its new ones. Never less than what
 * changed: where the stream does not carry an old value (it lies outside of the replica identity), the tag of the whole
 * watch is given.
 */
import { ordinalOf } from './ordinals.ts'
import type { Relation } from './pgoutput.ts'
import { columnText, type RowChange } from './row.ts'
import { readerOf } from './value-kinds.ts'
import type { Watch } from './watched-rows.ts'

/** Names of the built-in types that a range may be on, by their oid. */
const TYPES: Readonly<Record<number, string>> = {
  20: 'int8',
  21: 'int2',
  23: 'int4',
  26: 'oid',
  1700: 'numeric',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamptz',
}

/** A watch on one relation: where its columns are. */
export class WatchedChanges {
  private readonly watch: Watch
  private readonly relation: Relation
  private readonly columnsAt: readonly number[]
  /** How the text of each column reads, where that is not as it is. */
  private readonly readers: readonly (((text: string) => string) | undefined)[] | undefined
  private readonly rangeAt: number | undefined
  private readonly usedAt: readonly number[] | undefined
  /** The relation lacks a column of the watch, or has it of a type that does not fit: nothing can be told apart. */
  private readonly isBlind: boolean

  constructor(watch: Watch, relation: Relation) {
    const place = (name: string) => relation.columns.findIndex((column) => column.name === name)
    const { columns, kinds, range, used } = watch.rows
    this.watch = watch
    this.relation = relation
    this.columnsAt = columns.map(place)
    this.rangeAt = range === undefined ? undefined : place(range)
    // Of a column that the stream does not carry nobody can say that it was left alone.
    const usedAt = used?.map(place)
    this.usedAt = usedAt?.includes(-1) ? undefined : usedAt
    const places = this.columnsAt
    this.readers = kinds?.map((kind, index) => readerOf(kind, relation.columns[places[index]!]?.typeOid ?? 0))
    this.isBlind = places.includes(-1) || this.rangeAt === -1 || this.readers?.includes(undefined) === true
  }

  /** The tags that the change gives; none where it does not matter. */
  tagsOf(change: RowChange): readonly string[] {
    if (this.isBlind) return [this.watch.tag]
    if (change.kind === 'update' && this.leavesUsedColumns(change)) return []
    const before = change.kind === 'insert' ? [] : this.tagsOfValues((at) => this.oldText(change, at))
    const after = change.kind === 'delete' ? [] : this.tagsOfValues((at) => this.newText(change, at))
    return [...before, ...after]
  }

  private tagsOfValues(textAt: (at: number) => string | null | undefined): readonly string[] {
    const values: string[] = []
    for (const [index, at] of this.columnsAt.entries()) {
      const text = textAt(at)
      if (text === undefined) return [this.watch.tag]
      if (text === null) return []
      values.push(this.readers?.[index]?.(text) ?? text)
    }
    if (this.rangeAt === undefined) return [this.watch.valuesTag(values)]
    const text = textAt(this.rangeAt)
    if (text === undefined) return [this.watch.tag]
    if (text === null) return []
    const type = TYPES[this.relation.columns[this.rangeAt]!.typeOid]
    return this.watch.rangeTags(values, ordinalOf(type ?? '', text))
  }

  private leavesUsedColumns(change: RowChange): boolean {
    if (!this.usedAt) return false
    return this.usedAt.every((at) => {
      const before = this.oldText(change, at)
      return before !== undefined && before === this.newText(change, at)
    })
  }

  /** `undefined`: not known. Without an old row the columns of the replica identity have not changed. */
  private oldText(change: RowChange, at: number): string | null | undefined {
    const { identity, columns } = this.relation
    const known = identity === 'f' || columns[at]!.identity
    if (change.oldAt >= 0) return known ? columnText(change.buffer, change.oldAt, at) : undefined
    return known && identity !== 'f' ? columnText(change.buffer, change.newAt, at) : undefined
  }

  /** A large value that was left alone is not sent anew; the old row may have it. */
  private newText(change: RowChange, at: number): string | null | undefined {
    return columnText(change.buffer, change.newAt, at) ?? this.unchanged(change, at)
  }

  private unchanged(change: RowChange, at: number): string | null | undefined {
    if (columnText(change.buffer, change.newAt, at) === null) return null
    return change.oldAt >= 0 && this.relation.identity === 'f' ? columnText(change.buffer, change.oldAt, at) : undefined
  }
}
