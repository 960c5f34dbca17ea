import type { Clock } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'
import type { Mark, Store, StoreRecord } from '../core/store.ts'
import { type Attempt, Breaker } from './breaker.ts'
import type { Emitter } from './emitter.ts'

/** What the shared tier needs to know of its cache. */
export interface SharedTierOptions {
  readonly store: Store
  /** Name of the cache: the first part of every stored key. */
  readonly name: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly fenceMs: number
  /** Whether a bus tells when a tag's version changes: then versions may be remembered. */
  readonly hearsChanges: boolean
  readonly emitter: Emitter
  readonly onError: () => void
  /** The store was told what it had missed: what other processes read from it until then is old. */
  readonly onMadeUp: (targets: { keys: readonly string[]; tags: readonly string[] }) => void
}

/** An answer of the shared tier. Without a mark it did not answer, and nothing may be filled. */
export interface SharedRead {
  readonly mark: Mark | undefined
  readonly record?: StoreRecord
  /** A write is under way: what is loaded now is kept nowhere. */
  readonly held?: boolean
}

/** Versions of tags, by tag. A version that begins with `!` belongs to a write under way. */
export type Versions = ReadonlyMap<string, string>

/**
 * The shared tier of a cache: its store behind a breaker, with versions of tags, and with a memory of the invalidations
 * that could not be told, which are told first when the store is back. No method rejects because the store failed.
 *
 * How a stored entry is kept right: each key has a mark, and a fill succeeds only on the mark that was read before the
 * load; each entry names its tags with the versions that were known before the load, and counts only while they are
 * the current ones. Versions may be old without harm: an entry filled under an old one is simply not found.
 */
export class SharedTier {
  readonly #options: SharedTierOptions
  readonly #breaker: Breaker
  /** Versions as they were once. Only where a bus tells of changes are they good for reading too. */
  readonly #versions = new Map<string, { readonly version: string; readonly askedAtMs: number }>()
  /** Counts what made remembered versions wrong: an answer that was on its way then is not remembered. */
  #changes = 0
  /** Invalidations to make up for. */
  readonly #missedKeys = new Set<string>()
  readonly #missedTags = new Set<string>()
  readonly #read: (key: string) => Promise<SharedRead>
  readonly #ask: (tag: string) => Promise<string | undefined>

  constructor(options: SharedTierOptions) {
    this.#options = options
    this.#breaker = new Breaker({
      name: options.store.name,
      clock: options.clock,
      timeoutMs: options.timeoutMs,
      recover: (attempt) => this.#recover(attempt),
      isRecovered: () => this.#hasMissedNothing(),
      onState: (state) => options.emitter.emit('storeState', { state }),
      onError: (operation, error) => {
        options.onError()
        options.emitter.emit('storeError', { operation, error })
      },
    })
    const { store } = options
    this.#read = together(
      async (keys) =>
        (await this.#try('read', async () => complete(keys, await store.getMany(keys)))) ?? keys.map(() => NO_ANSWER),
    )
    this.#ask = together(async (tags) => (await this.#try('versions', () => store.versions(tags))) ?? [])
  }

  /** Reads a key. Reads that are asked for together go to the store together. */
  read(key: string): Promise<SharedRead> {
    return this.#read(this.#stored(key))
  }

  /** The versions of tags as the store has them now, or as the bus keeps them; `undefined` when it does not answer. */
  async versions(tags: readonly string[]): Promise<Versions | undefined> {
    const { clock, hearsChanges } = this.#options
    const askedAtMs = clock.monotonic()
    const known = hearsChanges ? this.knownVersions(tags, Number.POSITIVE_INFINITY) : NO_VERSIONS
    if (known.size === tags.length) return known
    const before = this.#changes
    const answers = await Promise.all(tags.map((tag) => known.get(tag) ?? this.#ask(this.#storedTag(tag))))
    const found = new Map<string, string>()
    for (const [at, tag] of tags.entries()) {
      const version = answers[at]
      if (version === undefined) return undefined
      found.set(tag, version)
      if (before === this.#changes && !isHeld(version)) this.#remember(tag, version, askedAtMs)
    }
    return found
  }

  /** The versions of those tags that are remembered since before `beforeMs`, without asking. */
  knownVersions(tags: readonly string[], beforeMs: number): Versions {
    const known = new Map<string, string>()
    for (const tag of tags) {
      const remembered = this.#versions.get(tag)
      if (remembered !== undefined && remembered.askedAtMs < beforeMs) known.set(tag, remembered.version)
    }
    return known
  }

  /** What remembered versions there are may be wrong: messages were lost. */
  forgetVersions(tags?: readonly string[]): void {
    if (tags?.length === 0) return
    this.#changes++
    if (tags === undefined) this.#versions.clear()
    else for (const tag of tags) this.#versions.delete(tag)
  }

  /** Stores a record on the mark that was read at `readAtMs`, unless that was so long ago that the fence may have ended. */
  async fill(key: string, record: StoreRecord, mark: Mark, readAtMs: number): Promise<boolean> {
    const { clock, fenceMs, store } = this.#options
    if (this.#breaker.isOpen || clock.monotonic() - readAtMs >= fenceMs / 2) return false
    const filled = await this.#try('fill', () => store.fill(this.#stored(key), record, mark))
    // It may yet arrive, when no tombstone is there any more to refuse it.
    if (filled === undefined) this.#miss([key], this.#missedKeys)
    return filled ?? false
  }

  /** Stores a record whatever is there. A failure leaves the key to be invalidated when the store is back. */
  async set(key: string, record: StoreRecord): Promise<void> {
    const done = await this.#try('set', async () => {
      await this.#options.store.set(this.#stored(key), record)
      return true
    })
    if (!done) this.#miss([key], this.#missedKeys)
  }

  /** Puts tombstones, told later if the store does not answer. Returns their marks, `undefined` for each in that case. */
  async invalidate(keys: readonly string[], held: boolean): Promise<readonly (Mark | undefined)[]> {
    if (keys.length === 0) return []
    const { store, fenceMs } = this.#options
    const stored = keys.map((key) => this.#stored(key))
    const marks = await this.#try('invalidate', () => store.invalidate(stored, fenceMs, held))
    if (marks !== undefined) return marks
    this.#miss(keys, this.#missedKeys)
    return keys.map(() => undefined)
  }

  /** Gives tags new versions; told later if the store does not answer. */
  async bump(tags: readonly string[], held: boolean): Promise<void> {
    if (tags.length === 0) return
    this.forgetVersions(tags)
    const stored = tags.map((tag) => this.#storedTag(tag))
    const done = await this.#try('bump', async () => {
      await this.#options.store.bump(stored, held ? this.#options.fenceMs : undefined)
      return true
    })
    if (!done) this.#miss(tags, this.#missedTags)
    this.forgetVersions(tags)
  }

  close(): void {
    this.#breaker.close()
  }

  async #try<T>(operation: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#breaker.call(operation, run)
    } catch {
      return undefined // the breaker has told; the caller goes on without the store
    }
  }

  /** Tells the store what it missed. What is added meanwhile is told by the next round, before anything is read. */
  async #recover(attempt: Attempt): Promise<void> {
    const { store, fenceMs, onMadeUp } = this.#options
    await attempt('probe', () => store.getMany([this.#stored('probe')]))
    while (!this.#hasMissedNothing()) {
      const keys = take(this.#missedKeys)
      const tags = take(this.#missedTags)
      try {
        if (keys.length > 0) await attempt('invalidate', () => store.invalidate(keys.map(this.#stored), fenceMs, false))
        if (tags.length > 0) await attempt('bump', () => store.bump(tags.map(this.#storedTag), undefined))
      } catch (error) {
        this.#miss(keys, this.#missedKeys)
        this.#miss(tags, this.#missedTags)
        throw error
      }
      onMadeUp({ keys, tags })
    }
  }

  #hasMissedNothing(): boolean {
    return this.#missedKeys.size + this.#missedTags.size === 0
  }

  /** What the store has to be told later. When it becomes too much, all of the cache is voided instead. */
  #miss(names: readonly string[], into: Set<string>): void {
    for (const name of names) into.add(name)
    if (this.#missedKeys.size + this.#missedTags.size <= MISSED_MAX) return
    this.#missedKeys.clear()
    this.#missedTags.clear()
    this.#missedTags.add(EVERYTHING)
  }

  #remember(tag: string, version: string, askedAtMs: number): void {
    if (this.#versions.get(tag)?.version === version) return
    if (this.#versions.size >= VERSIONS_MAX) this.#versions.clear()
    this.#versions.set(tag, { version, askedAtMs })
  }

  /** `shop:17`, in a namespace `shop/users:17`. Names hold neither `:` nor `/`, so no two keys meet. */
  readonly #stored = (key: string): string => {
    const { name } = this.#options
    if (key.charCodeAt(0) !== 0) return `${name}:${key}`
    return `${name}${key.charCodeAt(1) === COLON ? '' : '/'}${key.slice(1)}`
  }

  readonly #storedTag = (tag: string): string => `${this.#options.name}#${tag}`
}

const COLON = 58
const NO_ANSWER: SharedRead = { mark: undefined }
/** Remembered versions of tags; past it all are forgotten and asked for again. */
const VERSIONS_MAX = 10_000
const MISSED_MAX = 10_000
const RECOVER_AT_ONCE = 500

const NO_VERSIONS: Versions = new Map()

/** Takes some names out of a set. */
function take(names: Set<string>): string[] {
  const taken = [...names].slice(0, RECOVER_AT_ONCE)
  for (const name of taken) names.delete(name)
  return taken
}

/** Makes one call of what is asked for before the next microtask. `ask` answers in the order of the names. */
function together<T>(ask: (names: string[]) => Promise<readonly T[]>): (name: string) => Promise<T> {
  let names = new Map<string, number>()
  let answers: Promise<readonly T[]>
  return async (name) => {
    if (names.size === 0) {
      answers = Promise.resolve().then(() => {
        const asked = [...names.keys()]
        names = new Map()
        return ask(asked)
      })
    }
    const at = names.get(name) ?? names.size
    names.set(name, at)
    return (await answers)[at]!
  }
}

/** What a store answered to a read of `keys`. One that leaves keys out breaks its contract: that is its failure, not the reader's. */
function complete<T>(keys: readonly string[], answers: readonly T[]): readonly T[] {
  if (keys.every((_, at) => answers[at] !== undefined)) return answers
  throw new StoreError(`the store did not answer each of the ${keys.length} keys that it was asked for`)
}

/** The tag that every stored entry carries, so that `clear` is one command. */
export const EVERYTHING = ''

/** Whether a version belongs to a write under way: what is loaded under it is not kept. */
export function isHeld(version: string): boolean {
  return version.startsWith('!')
}
