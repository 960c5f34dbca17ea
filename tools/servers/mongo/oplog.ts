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
  private readonly listeners = new Set<() => void>()

  get end(): number {
    return this.first + this.entries.length
  }

  /** Adds the changes of one commit. */
  append(changes: readonly Change[]): void {
    const seconds = BigInt(Math.floor(Date.now() / 1000)) << 32n
    this.time = seconds > this.time ? seconds + 1n : this.time + 1n
    for (const change of changes) this.entries.push({ ...change, sequence: this.end, time: this.time })
    for (const listener of [...this.listeners]) listener()
  }

  at(sequence: number): Entry {
    if (sequence < this.first) throw historyLost()
    return this.entries[sequence - this.first]!
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

  /** Calls `listener` after each commit. Returns what ends that. */
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
