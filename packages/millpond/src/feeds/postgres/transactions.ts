/**
 * Turns the stream into commits: the changes of each transaction, gathered as tags until its commit arrives. Streamed
 * transactions (large ones, sent while they run) lie side by side, and their rolled back subtransactions are dropped.
 */

import { PgoutputError } from './bytes.ts'
import { ChangedTags } from './changed-tags.ts'
import type { Lsn } from './lsn.ts'
import type { PgoutputSink, Relation } from './pgoutput.ts'
import type { RowChange } from './row.ts'
import type { RowTags } from './row-tags.ts'
import type { Watches } from './watches.ts'

export interface Commit {
  /** The 32-bit number of the top-level transaction. */
  readonly xid: number
  /** None when nothing that is told about has changed. */
  readonly tags: readonly string[]
  /** Where the commit's record starts, and ends. */
  readonly commitLsn: Lsn
  readonly endLsn: Lsn
}

export interface TransactionsOptions {
  rowTags: RowTags
  rowTagsMax: number
  watches: Watches
  onCommit(commit: Commit): void
  /** A relation was described that the catalog does not know, or again: the catalog should be read. */
  onShape(relation: Relation): void
}

/** Beyond so many subtransactions their changes are kept together, and told even if some were rolled back. */
const SUBTRANSACTIONS_MAX = 1000
/** No transaction has the number 0. */
const SHARED = 0

export class Transactions implements PgoutputSink {
  private readonly options: TransactionsOptions
  private current: { xid: number; tags: ChangedTags } | undefined
  /** Streamed transactions that have not ended, by top-level xid; in each, the changes by subtransaction. */
  private readonly streams = new Map<number, Map<number, ChangedTags>>()
  private stream: Map<number, ChangedTags> | undefined
  private streamedXid: number | undefined
  /** Rows decoded since the start. */
  changes = 0

  constructor(options: TransactionsOptions) {
    this.options = options
  }

  /** Whether the stream stands inside a transaction that is sent after its commit. */
  get inside(): boolean {
    return this.current !== undefined
  }

  begin(xid: number): void {
    this.current = { xid, tags: this.fresh() }
  }

  commit(commitLsn: Lsn, endLsn: Lsn): void {
    if (!this.current) throw new PgoutputError('a commit without a transaction')
    const { xid, tags } = this.current
    this.current = undefined
    this.options.onCommit({ xid, tags: tags.list(), commitLsn, endLsn })
  }

  row(change: RowChange, subxid: number | undefined): void {
    this.changes++
    this.options.rowTags.row(change, this.tagsOf(subxid))
  }

  truncate(relations: readonly Relation[], subxid: number | undefined): void {
    for (const relation of relations) this.options.rowTags.bulk(relation, this.tagsOf(subxid))
  }

  /** A table whose columns or identity have changed may have had its rows rewritten, which is not announced. */
  relation(relation: Relation, known: Relation | undefined): void {
    if (known) this.options.rowTags.forget(known)
    const changed = known !== undefined && JSON.stringify(known) !== JSON.stringify(relation)
    const inside = this.stream ?? this.current
    if (changed && inside) this.options.rowTags.bulk(relation, this.tagsOf(this.streamedXid))
    if (known || !this.options.rowTags.knows(relation)) this.options.onShape(relation)
  }

  streamStart(xid: number): void {
    this.stream = this.streams.get(xid) ?? new Map<number, ChangedTags>()
    this.streams.set(xid, this.stream)
    this.streamedXid = xid
  }

  streamStop(): void {
    this.stream = undefined
    this.streamedXid = undefined
  }

  streamCommit(xid: number, commitLsn: Lsn, endLsn: Lsn): void {
    const all = this.fresh()
    for (const tags of this.streams.get(xid)?.values() ?? []) all.add(tags)
    this.streams.delete(xid)
    this.options.onCommit({ xid, tags: all.list(), commitLsn, endLsn })
  }

  streamAbort(xid: number, subxid: number): void {
    if (xid === subxid) this.streams.delete(xid)
    else this.streams.get(xid)?.delete(subxid)
  }

  private tagsOf(subxid: number | undefined): ChangedTags {
    if (subxid === undefined) {
      if (!this.current) throw new PgoutputError('a change without a transaction')
      return this.current.tags
    }
    if (!this.stream) throw new PgoutputError('a streamed change outside of its block')
    const slot = this.stream.has(subxid) || this.stream.size < SUBTRANSACTIONS_MAX ? subxid : SHARED
    const tags = this.stream.get(slot) ?? this.fresh()
    this.stream.set(slot, tags)
    return tags
  }

  private fresh(): ChangedTags {
    return new ChangedTags(this.options.rowTagsMax, this.options.watches)
  }
}
