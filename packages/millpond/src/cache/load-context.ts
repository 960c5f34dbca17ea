import { ValueError } from '../core/errors.ts'
import { type Life, resolveLife } from './life.ts'
import type { EntryOptions } from './options.ts'
import type { LoadContext } from './types.ts'

/** What a loader is given, and what it said by it. */
export class Context implements LoadContext<unknown> {
  readonly key: string
  readonly background: boolean
  readonly stale: unknown
  life: Life
  /** The loader asked to keep nothing. */
  skipped = false
  /** The value may be older than the load. */
  isFromReplica = false
  keptEtag: string | undefined
  readonly #stale: Stale | undefined
  readonly #abort: Abort

  constructor(key: string, background: boolean, life: Life, abort: Abort, stale: Stale | undefined) {
    this.key = key
    this.background = background
    this.life = life
    this.#abort = abort
    this.#stale = stale
    this.stale = stale?.value
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  set(options: EntryOptions<never>): void {
    this.life = resolveLife(options, this.life)
  }

  etag(value?: string): string | undefined {
    if (value !== undefined) this.keptEtag = value
    return this.keptEtag ?? this.#stale?.etag
  }

  notModified(): unknown {
    if (!this.#stale) throw new ValueError(this.key, 'notModified() needs a stale value to keep, and there is none')
    this.keptEtag ??= this.#stale.etag
    // The same value goes on carrying its tags, those included that the loader named late.
    this.set({ tags: this.#stale.tags.filter((tag) => tag.charCodeAt(0) !== 0) })
    return this.stale
  }

  skip<V>(value: V): V {
    this.skipped = true
    return value
  }

  fromReplica<V>(value: V): V {
    this.isFromReplica = true
    return value
  }
}

/** The value that is about to be replaced. */
export interface Stale {
  readonly value: unknown
  readonly etag: string | undefined
  readonly tags: readonly string[]
}

/** An AbortController that exists only if someone asks for its signal. */
export class Abort {
  #controller: AbortController | undefined
  #reason: { error: unknown } | undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#reason.error)
    return this.#controller.signal
  }

  throwIfAborted(): void {
    if (this.#reason !== undefined) throw this.#reason.error
  }

  abort(error: unknown): void {
    this.#reason ??= { error }
    this.#controller?.abort(this.#reason.error)
  }
}
