/** The log of all changes in their order, which every member applies and every change stream reads. */
import { BSON } from 'mongodb'
import { CommandError } from './command-error.ts'
import type { Document } from './wire.ts'

/** One change. Those of one transaction have the same time. */
export interface Entry {
  /** Its place in the log, from 0. */
  readonly sequence: number
  readonly time: bigint
  readonly kind: ChangeKind
  readonly database: string
  readonly collection: string
  readonly id?: unknown
  readonly before?: Document
  readonly after?: Document
  /** The collection keeps images of its documents. */
  readonly hasImages?: boolean
  readonly updateDescription?: Document
  /** The new name, of a rename. */
  readonly to?: { readonly database: string; readonly collection: string }
  /** The options of a collection that is made or changed. */
  readonly options?: Document
}

export type ChangeKind =
  | 'insert'
  | 'update'
  | 'replace'
  | 'delete'
  | 'create'
  | 'modify'
  | 'drop'
  | 'rename'
  | 'dropDatabase'

/** A change that is not in the log yet. */
export type Change = Omit<Entry, 'sequence' | 'time'>

export class Oplog {
  private readonly entries: Entry[] = []
  /** The sequence of the first entry that is still there. */
  private first = 0
  private forgottenTime = 0n
  /** The time of the latest entry. */
  time: bigint = BigInt(Math.floor(Date.now() / 1000)) << 32n
  /** The first entry that no majority has, and the time of the latest that one has. */
  committedEnd = 0
  committedTime: bigint = this.time
  private isHeld = false
  private readonly listeners = new Set<() => void>()
  private readonly committedListeners: ((entry: Entry) => void)[] = []
  private readonly beganAt = this.time

  get end(): number {
    return this.first + this.entries.length
  }

  /** Adds the changes of one commit. */
  append(changes: readonly Change[]): void {
    const seconds = BigInt(Math.floor(Date.now() / 1000)) << 32n
    this.time = seconds > this.time ? seconds + 1n : this.time + 1n
    for (const change of changes) this.entries.push({ ...change, sequence: this.end, time: this.time })
    this.commit()
  }

  /** While it is held no majority has what is new: it can be read with `local`, and may be undone. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld
    this.commit()
  }

  /** Undoes what no majority has. */
  rollBack(): void {
    this.entries.length = this.committedEnd - this.first
  }

  private commit(): void {
    if (!this.isHeld) {
      const committed = this.entries.slice(Math.max(0, this.committedEnd - this.first))
      for (const entry of committed) for (const listener of this.committedListeners) listener(entry)
      this.committedEnd = this.end
      this.committedTime = this.time
    }
    for (const listener of [...this.listeners]) listener()
  }

  at(sequence: number): Entry {
    if (sequence < this.first) throw historyLost()
    return this.entries[sequence - this.first]!
  }

  /** The time of the entry before this place, of which a stream that begins there has everything. */
  timeBefore(sequence: number): bigint {
    return this.entries[sequence - 1 - this.first]?.time ?? (this.first === 0 ? this.beganAt : this.forgottenTime)
  }

  /** Where a stream that begins at `time` reads first. */
  sequenceAt(time: bigint): number {
    if (time <= this.forgottenTime) throw historyLost()
    const index = this.entries.findIndex((entry) => entry.time >= time)
    return index < 0 ? this.end : this.first + index
  }

  /** Forgets all entries, as a log that is full does: whoever reads behind it has lost them. */
  rollOver(): void {
    this.first = this.end
    this.entries.length = 0
    this.forgottenTime = this.time
  }

  onCommit(listener: (entry: Entry) => void): void {
    this.committedListeners.push(listener)
  }

  /** Calls `listener` after each change of the log. Returns what ends that. */
  onAppend(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

export function timestampOf(time: bigint): BSON.Timestamp {
  return new BSON.Timestamp(time)
}

export function timeOf(timestamp: unknown): bigint {
  const { high, low } = timestamp as BSON.Timestamp
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

function historyLost(): CommandError {
  return new CommandError(
    286,
    'ChangeStreamHistoryLost',
    'Resume of change stream was not possible, as the resume point may no longer be in the oplog.',
    ['NonResumableChangeStreamError'],
  )
}
