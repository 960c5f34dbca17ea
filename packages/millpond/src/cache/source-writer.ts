import { type Codec, jsonCodec } from '../core/codec.ts'
import { OptionError } from '../core/errors.ts'
import type { ValueHost } from './encoded-host.ts'
import type { CacheHost } from './host.ts'
import type { EntryOptions } from './options.ts'
import type { SourceOptions } from './source-options.ts'
import type { Change, Failure, Newer, WriteTarget } from './write-queue.ts'

/** What a writer needs of its source. */
export interface WriterContext<I, V> {
  readonly host: CacheHost
  readonly values: ValueHost
  readonly options: SourceOptions<I, V>
  readonly key: (id: I) => string
  readonly entryOf: (id: I, value: V) => EntryOptions<V | undefined>
}

/** Carries changes of a source to its database, and what became of them to the cache. */
export class SourceWriter<I, V> implements WriteTarget<I, V> {
  readonly name: string
  readonly codec: Codec
  readonly #context: WriterContext<I, V>

  constructor(context: WriterContext<I, V>) {
    this.#context = context
    this.name = context.options.name
    this.codec = context.options.codec ?? jsonCodec
  }

  key(id: I): string {
    return this.#context.key(id)
  }

  /** Whether a change reaches the database at all: without `remove`, a delete only concerns the cache. */
  writes(change: Change<I, V>): boolean {
    return !change.removed || this.#context.options.remove !== undefined
  }

  /** Writes one change now. Rejects with what the write threw. */
  async write(change: Change<I, V>): Promise<void> {
    const { host, options } = this.#context
    if (!this.writes(change)) return host.delete(this.key(change.id))
    if (!change.removed && !options.write && !options.writeMany) {
      throw new OptionError('write', undefined, `give the source ${this.name} a write or a writeMany to call set`)
    }
    const [failure] = await this.deliver([change], () => undefined)
    if (failure) throw failure.error
  }

  async deliver(changes: readonly Change<I, V>[], newer: Newer<I, V>): Promise<readonly (Failure | undefined)[]> {
    const failures = new Map<Change<I, V>, Failure>()
    await Promise.all(
      this.#calls(changes, newer).map(async ({ part, run }) => {
        try {
          await run()
        } catch (error) {
          for (const change of part) failures.set(change, { error })
        }
      }),
    )
    return changes.map((change) => failures.get(change))
  }

  async show({ id, value, removed }: Change<I, V>): Promise<void> {
    const { host, values, entryOf } = this.#context
    if (removed) await host.delete(this.key(id))
    else await values.set(this.key(id), value as V, entryOf(id, value as V))
  }

  /** The calls that carry out the changes: one for all that `writeMany` takes, else one each. */
  #calls(changes: readonly Change<I, V>[], newer: Newer<I, V>): Call<I, V>[] {
    const { write, writeMany, remove } = this.#context.options
    const sets = changes.filter((change) => !change.removed)
    const removals = changes.filter((change) => change.removed)
    const calls = removals.map((change) => this.#removal(change, remove!))
    if (writeMany && (sets.length > 1 || !write)) {
      const run = () => writeMany(sets.map(({ id, value }) => [id, value as V]))
      if (sets.length > 0) calls.push(this.#setting(sets, newer, run))
    } else {
      for (const set of sets) calls.push(this.#setting([set], newer, () => write!(set.id, set.value as V)))
    }
    return calls
  }

  #removal(change: Change<I, V>, remove: (id: I) => unknown): Call<I, V> {
    const keys = [this.key(change.id)]
    return { part: [change], run: () => this.#context.host.mutate({ keys }, () => remove(change.id)) }
  }

  #setting(part: readonly Change<I, V>[], newer: Newer<I, V>, run: () => unknown): Call<I, V> {
    const { values, entryOf } = this.#context
    const entries = part.map(({ id, value }) => {
      return { key: this.key(id), value: value as V, options: entryOf(id, value as V) }
    })
    const write = async () => {
      // A change that came before the cache began to watch the key for this write: shown again, it voids what this keeps.
      await Promise.all(entries.map(async ({ key }) => newer(key) && this.show(newer(key)!)))
      await run()
    }
    return { part, run: () => values.writeThrough(entries, write) }
  }
}

interface Call<I, V> {
  readonly part: readonly Change<I, V>[]
  readonly run: () => Promise<unknown>
}
