/**
 * The watches of a feed, by the tag of their table.
 *
 * A transaction may be half read when a watch begins or a reader names a range: for what was read before, the tag of
 * the whole watch has to do. And what was announced before and is not visible yet names no tag that is new: the feed is
 * told of each, so that it counts as unsettled where its table does. Where there are too many, the one that was used
 * longest ago is forgotten, and what depends on it is voided.
 */
import { tableTag } from './tags.ts'
import { Watch, type WatchedRows, watchTag } from './watched-rows.ts'

/** Each changed row is compared with every watch of its table: more than this are not kept. */
const WATCHES_OF_A_TABLE_MAX = 500

/** The tag that any commit gives, once somebody depends on everything. */
export const ANY = '*'

/** What the watches tell their feed. */
export interface WatchesHost {
  /** A tag is new: what is unsettled for the table (`undefined`: for any) is for the tag too. */
  isNew(table: string | undefined, tag: string): void
  /** Changes give these tags no more: what carries them has to be voided. */
  forgotten(tags: readonly string[]): void
}

const NOBODY: WatchesHost = { isNew() {}, forgotten() {} }

export class Watches {
  /** Of each table, the one that was used longest ago first. */
  private readonly byTable = new Map<string, Map<string, Watch>>()
  private readonly host: WatchesHost
  private tellsAny = false
  /** Grows whenever a watch comes or goes. */
  version = 0
  /** Grows whenever a watch tells more than before. */
  sequence = 0

  constructor(host: WatchesHost = NOBODY) {
    this.host = host
  }

  /** The watch of these rows, made at the first call. */
  watch(rows: WatchedRows): Watch {
    const table = tableTag(rows.table)
    const known = this.byTable.get(table)?.get(watchTag(rows))
    if (known) return known
    const made = new Watch(rows, {
      began: (tag) => {
        const number = ++this.sequence
        this.host.isNew(table, tag)
        return number
      },
      used: (watch) => this.keep(table, watch),
      forgotten: (tags) => this.host.forgotten(tags),
    })
    this.keep(table, made)
    return made
  }

  /** From now on any commit gives `ANY` too. */
  watchAny(): string {
    if (!this.tellsAny) {
      this.tellsAny = true
      this.host.isNew(undefined, ANY)
    }
    return ANY
  }

  /** Tags that something gives, with `ANY` if somebody depends on everything. */
  withAny(tags: string[]): string[] {
    if (this.tellsAny && tags.length > 0 && !tags.includes(ANY)) tags.push(ANY)
    return tags
  }

  of(table: string): Iterable<Watch> {
    return this.byTable.get(table)?.values() ?? []
  }

  /** All of them. */
  *all(): Iterable<Watch> {
    for (const watches of this.byTable.values()) yield* watches.values()
  }

  /** Tags of the watches of a table that began to tell more after `sequence`. */
  *tagsSince(table: string, sequence: number): Iterable<string> {
    for (const { tag, changedAt } of this.of(table)) if (changedAt > sequence) yield tag
  }

  /** Changes give this tag no more, whatever the reason: whoever depends on it again begins anew. */
  forget(tag: string): void {
    const [table = '', rest] = tag.split('?', 2)
    if (rest === undefined) return
    const watches = this.byTable.get(table)
    const watch = watches?.get(tag) ?? watches?.get(tag.slice(0, table.length + 1 + rest.search(/:|$/)))
    if (watch?.tag === tag) {
      watches!.delete(tag)
      this.version++
    } else watch?.forgetRange(tag)
  }

  private keep(table: string, watch: Watch): void {
    const watches = this.byTable.get(table) ?? new Map<string, Watch>()
    this.byTable.set(table, watches)
    const known = watches.delete(watch.tag)
    watches.set(watch.tag, watch)
    if (known) return
    this.version++
    watch.begin()
    if (watches.size <= WATCHES_OF_A_TABLE_MAX) return
    const [oldest] = watches.keys()
    watches.delete(oldest!)
    this.host.forgotten([oldest!])
  }
}
