/**
 * Commits that were announced and are not known to be visible yet. PostgreSQL streams a commit once it is on disk, and
 * only afterwards makes it visible: a reader that starts after the announcement may still see the old row (2 % of hot
 * races, longer while a synchronous standby is awaited). A snapshot taken later says when that has passed, and what a
 * snapshot on the primary has seen, every later one sees.
 */
import type { Lsn } from './lsn.ts'
import { type Snapshot, sees, widenXid } from './snapshot.ts'
import { bulkTag } from './tags.ts'

interface Unsettled {
  tags: readonly string[]
  /** The end of what was announced before this commit: a consumer that starts again there is told of it again. */
  readonly beforeLsn: Lsn
}

/** A commit that stays invisible, behind a synchronous standby say, must not gather the tags of all that is read meanwhile. */
const TAGS_MAX = 10_000

export class UnsettledCommits {
  /** By 32-bit xid, in commit order. */
  private readonly commits = new Map<number, Unsettled>()
  private waiting: { left: Set<number>; resolve: () => void }[] = []

  get size(): number {
    return this.commits.size
  }

  /** Up to here everything is visible: what a slot that is kept may be acknowledged, given all up to `announced`. */
  settledUpTo(announced: Lsn): Lsn {
    for (const { beforeLsn } of this.commits.values()) return beforeLsn
    return announced
  }

  add(xid: number, tags: readonly string[], beforeLsn: Lsn): void {
    this.commits.set(xid, { tags, beforeLsn })
  }

  /** The tags of each commit that still waits. */
  tags(): (readonly string[])[] {
    return [...this.commits.values()].map((commit) => commit.tags)
  }

  /** Each commit that still waits, with its 32-bit xid. */
  entries(): [xid: number, tags: readonly string[]][] {
    return [...this.commits].map(([xid, { tags }]) => [xid, tags])
  }

  /**
   * Adds a tag to each commit of a table (`undefined`: to each). One that has very many already stands for all rows of the
   * table from then on. Returns what was added, once a commit.
   */
  extend(table: string | undefined, tag: string): string[] {
    const all = table === undefined ? undefined : bulkTag(table)
    const added: string[] = []
    for (const commit of this.commits.values()) {
      const { tags } = commit
      if (table !== undefined && (!tags.includes(table) || tags.includes(all!))) continue
      const more = tags.length < TAGS_MAX ? tag : (all ?? tag)
      commit.tags = [...tags, more]
      added.push(more)
    }
    return added
  }

  /** Forgets the commits that the snapshot sees; returns the tags of each. */
  take(snapshot: Snapshot): (readonly string[])[] {
    const visible: (readonly string[])[] = []
    for (const [xid, { tags }] of this.commits) {
      if (!sees(snapshot, widenXid(xid, snapshot.xmax))) continue
      this.commits.delete(xid)
      visible.push(tags)
      for (const wait of this.waiting) wait.left.delete(xid)
    }
    this.wake((wait) => wait.left.size === 0)
    return visible
  }

  /** Resolves when every commit that waits now is visible, or has been forgotten. */
  settled(): Promise<void> {
    if (this.commits.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.waiting.push({ left: new Set(this.commits.keys()), resolve }))
  }

  clear(): void {
    this.commits.clear()
    this.wake(() => true)
  }

  private wake(done: (wait: { left: Set<number> }) => boolean): void {
    const woken = this.waiting.filter(done)
    if (woken.length === 0) return
    this.waiting = this.waiting.filter((wait) => !woken.includes(wait))
    for (const { resolve } of woken) resolve()
  }
}
