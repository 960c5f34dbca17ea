/** What was refused to whom: ACL LOG. */

export type AclReason = 'command' | 'key' | 'channel' | 'auth'
export type AclContext = 'toplevel' | 'multi' | 'lua'

export interface AclLogEntry {
  count: number
  readonly reason: AclReason
  readonly context: AclContext
  readonly object: string
  readonly username: string
  atMs: number
  clientInfo: string
}

/** Within this time the same again is counted, not listed. */
const SAME_MS = 60_000
/** How far back the same is looked for. */
const SAME_ENTRIES = 10

export class AclLog {
  /** Newest first. */
  entries: AclLogEntry[] = []

  add(entry: Omit<AclLogEntry, 'count'>, max: number): void {
    const at = this.entries
      .slice(0, SAME_ENTRIES)
      .findIndex(
        (known) =>
          known.reason === entry.reason &&
          known.context === entry.context &&
          known.object === entry.object &&
          known.username === entry.username &&
          entry.atMs - known.atMs <= SAME_MS,
      )
    const same = at < 0 ? undefined : this.entries.splice(at, 1)[0]
    this.entries.unshift({ ...entry, count: (same?.count ?? 0) + 1 })
    this.entries.length = Math.min(this.entries.length, max)
  }
}
