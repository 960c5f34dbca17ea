import type { PeerId } from '../link/link.ts'
import type { Timestamp } from './hybrid-clock.ts'

/** How it stands with a key here: the value is held; it was deleted; it has expired; it lives at other peers, if anywhere. */
export type EntryState = 'held' | 'deleted' | 'expired' | 'elsewhere'

/** How the value of an entry is kept: ready to hand out, as bytes that nobody has read yet, or holding bytes that each reader is given a copy of. */
export type ValueForm = 'ready' | 'encoded' | 'bytes'

/**
 * What is known of a key of a map: its last change, and the value where it is held. One object for as long as anything
 * is known of the key: tables, buckets and what is unsent refer to it, and a change is made in place.
 */
export class Entry {
  readonly key: string
  /** Of map and key: the same on every peer. */
  readonly hash: number
  /** The change: when, and by whom. Together they order all changes of a key, on all peers alike. */
  version: Timestamp = 0
  origin: PeerId = 0
  /** The version that whoever made the change knew; Infinity where that is not known. What lies between was concurrent. */
  base: Timestamp = Number.POSITIVE_INFINITY
  /** Whether the change replaced another, here or at its origin: then an older value may still be somewhere. */
  follows = false
  state: EntryState = 'elsewhere'
  form: ValueForm = 'ready'
  value: unknown = undefined
  /** The value's encoding: until it is read, until it is sent, or always where it is large. */
  bytes: Uint8Array | undefined = undefined
  /** When the value's life ends, in the clock's monotonic time. */
  endsAtMs: number = Number.POSITIVE_INFINITY
  /** Until when the change is remembered, and counts in the digest; see `Ledger`. */
  rememberedUntilMs: number = Number.POSITIVE_INFINITY
  /** The second in whose list of the ledger it stands; 0: in none. */
  dueSecond = 0
  counted = false
  ranked = false
  next: Entry | undefined = undefined
  previous: Entry | undefined = undefined

  constructor(key: string, hash: number) {
    this.key = key
    this.hash = hash
  }

  /** Lets the value go. */
  release(): void {
    this.value = undefined
    this.bytes = undefined
    this.form = 'ready'
    this.endsAtMs = Number.POSITIVE_INFINITY
  }
}

/** A change, as far as order is concerned. */
export interface Ordered {
  readonly version: Timestamp
  readonly origin: PeerId
}

/**
 * The order of changes, total and equal on all peers: by version, then by peer. Negative where `one` is earlier. Where it
 * says 0 it is the same change, and a deletion (that a conflict led to) comes after the value.
 */
export function compareChanges(one: Ordered, other: Ordered): number {
  return one.version - other.version || one.origin - other.origin
}
