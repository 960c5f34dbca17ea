import type { PeerId } from './link.ts'

/**
 * What can be compared and repaired: the whole state of a process in buckets of keys. The repair layer compares hashes
 * with a peer and carries bodies of operations both ways; merging is idempotent and in any order, so overlap is harmless.
 */
export interface Repairable {
  /** How many buckets there are: the same number on every peer, a multiple of 64. */
  readonly buckets: number
  /** Two 32-bit hashes a bucket over (key, version, origin) of every entry and tombstone in it; equal states have equal hashes. Kept up to date at each change. */
  hashes(): Uint32Array
  /**
   * The states of the buckets named (default: all) as bodies of operations of at most `bytesMax` each, made lazily, in order
   * of the buckets. Changes may be made between two of them. Each is to be made within about 1 ms.
   *
   * `recentMs`: only what was changed in so many milliseconds, by the wall clock. What a wrong clock hides so is found by the hashes and
   * fetched by a second call without it.
   */
  bodies(buckets: readonly number[] | undefined, bytesMax: number, recentMs?: number): Iterable<Uint8Array>
  /** Merges a body. Throws nothing: what cannot be read is counted and left out. */
  merge(from: PeerId, body: Uint8Array): void
  /**
   * Whether local changes wait to be sent, or large values are under way: comparing now would only find those. Hashes of
   * states at rest may differ for the moment at which an entry expires: compare again before anything is carried.
   */
  isBusy(): boolean
  /**
   * How long tombstones are kept, and so the longest time that this process may have been away from a peer and still merge.
   * Longer, and the smaller side drops what it holds and takes the other's.
   */
  readonly awayMsMax: number
  /** Drops every entry and tombstone, silently, with what waits to be sent: a peer's whole state comes next. */
  wipe(): void
}
