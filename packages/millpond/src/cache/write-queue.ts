import type { ValueHost } from './encoded-host.ts'
import type { CacheHost } from './host.ts'
import type { EntryOptions } from './options.ts'
import type { SourceOptions } from './source-options.ts'

/** Write-behind, as `writeBehind(options)` makes it for a source. */
export interface WriteBehind<I, V> {
  /** Called once by the source that it was given to. */
  open(target: WriteTarget<I, V>): WriteQueue<I, V>
}

/** Changes on their way to a database. */
export interface WriteQueue<I, V> {
  /** Set while the journal is read: reads of the source wait for it. Stays set, rejected, when that fails. */
  readonly ready: Promise<void> | undefined
  /** The change of `key` that the database does not have yet, if any. */
  pending(key: string): Change<I, V> | undefined
  /** Resolves when the change is accepted: visible to readers and, with a journal, on disk. */
  add(change: Change<I, V>): Promise<void>
  /** Tries everything that waits now, whatever its pause. Rejects when something failed; that is tried again. */
  flush(): Promise<void>
  /** Takes no more changes and goes on trying until the queue is empty or `closeTimeout` has passed. */
  close(): Promise<void>
}

/** What a write does: gives an id a value, or removes it. */
export interface Change<I, V> {
  readonly id: I
  /** `undefined` when `removed`. */
  readonly value: V | undefined
  readonly removed: boolean
}

/** What is written to: a source's database, by its options, and the cache in front of it. */
export interface WriteTarget<I, V> {
  readonly host: CacheHost
  readonly values: ValueHost
  readonly options: SourceOptions<I, V>
  readonly key: (id: I) => string
  readonly entryOf: (id: I, value: V) => EntryOptions<V | undefined>
}

/** An error that was thrown, whatever it is. */
export interface Failure {
  readonly error: unknown
}

/** The change that will replace the one of `key` that is under way, if any. */
export type Newer<I, V> = (key: string) => Change<I, V> | undefined
