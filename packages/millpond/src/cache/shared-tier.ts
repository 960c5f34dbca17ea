import { type Attempt, Breaker } from '../core/breaker.ts'
import type { Clock } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'
import { InvalidationBacklog } from '../core/invalidation-backlog.ts'
import type { Told } from '../core/invalidation-log.ts'
import { type Mark, STORE_BATCH_MAX, type Store, type StoreAnswer, type StoreRecord } from '../core/store.ts'
import { storedKey, storedTag } from '../core/stored-name.ts'
import type { Emitter } from './emitter.ts'
import { ReadBatches, same, type Use } from './read-batches.ts'
import { EVERYTHING, KnownVersions, NO_VERSIONS, type Versions } from './versions.ts'

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
export interface TaggedRead {
  readonly mark: Mark | undefined
  readonly record?: StoreRecord | undefined
  /** A write is under way: what is loaded now is kept nowhere. */
  readonly held?: boolean | undefined
  readonly versions: Versions
}

/** Versions that are being asked for. */
interface Asked {
  readonly known: Versions
  readonly unknown: readonly string[]
  /** The unknown ones, as the store knows them. */
  readonly stored: readonly string[]
  readonly atMs: number
  /** What was known to have changed by then. */
  readonly changes: number
}

/**
 * The shared tier of a cache: its store behind a breaker, with versions of tags, and with a memory of the invalidations
 * that could not be told, or were told a moment ago and may be lost: they are told first when the store is back. No method
 * rejects because the store failed.
 *
 * How a stored entry is kept right: each key has a mark, and a fill succeeds only on the mark that was read before the
 * load; each entry names its tags with the versions that were known before the load, and counts only while they are
 * the current ones. Versions may be old without harm: an entry filled under an old one is simply not found.
 */
export class SharedTier {
  readonly #options: SharedTierOptions
  readonly #breaker: Breaker
  readonly #reads: ReadBatches
  readonly #stopWatching: (() => void) | undefined
  readonly #known = new KnownVersions()
  /** Invalidations that the store was not told, and those of the last moments: a server that is promoted may not have them. */
  readonly #backlog: InvalidationBacklog
  /** The names of the tags that were asked for last, and the versions that were answered last: readers of one tick share them. */
  #lastNamed: { readonly tags: readonly string[]; readonly stored: readonly string[] } | undefined
  #lastFound: { readonly answers: readonly string[]; readonly versions: Versions } | undefined

  constructor(options: SharedTierOptions) {
    this.#options = options
    this.#backlog = new InvalidationBacklog(EVERYTHING, options.clock)
    this.#breaker = new Breaker({
      name: options.store.name,
      clock: options.clock,
      timeoutMs: options.timeoutMs,
      recover: (attempt) => this.#recover(attempt),
      isRecovered: () => this.#backlog.size === 0,
      onState: (state) => options.emitter.emit('storeState', { state }),
      onError: (operation, error) => this.#tellError(operation, error),
    })
    this.#reads = new ReadBatches((keys, tags) => this.#try('read', () => this.#readAll(keys, tags)))
    this.#stopWatching = options.store.watch?.(() => this.#breaker.doubt())
  }

  /** How long a tombstone stands. */
  get fenceMs(): number {
    return this.#options.fenceMs
  }

  /**
   * Reads a key, and what `versions` gives, in one call. What is asked for together goes to the store together. Gives what
   * `use` makes of the answer.
   */
  read<T = TaggedRead>(key: string, tags: readonly string[] = [], use: Use<TaggedRead, T> = same as never): Promise<T> {
    const asked = this.#beginAsking(tags)
    return this.#reads.ask(this.#stored(key), asked.stored, (answer) => {
      if (answer === undefined) return use(NO_ANSWER)
      const { mark, record, held } = answer.entry!
      return use({ mark, record, held, versions: this.#endAsking(asked, answer.versions) })
    })
  }

  /** The versions of tags as the store has them now, or as the bus keeps them; `undefined` when it does not answer. */
  async versions(tags: readonly string[]): Promise<Versions | undefined> {
    const asked = this.#beginAsking(tags)
    if (asked.unknown.length === 0) return asked.known
    const answer = await this.#reads.ask(undefined, asked.stored, same)
    return answer && this.#endAsking(asked, answer.versions)
  }

  #beginAsking(tags: readonly string[]): Asked {
    const { clock, hearsChanges } = this.#options
    const known = hearsChanges ? this.#known.seenLately(tags, clock.monotonic()) : NO_VERSIONS
    const unknown = known.size === 0 ? tags : tags.filter((tag) => !known.has(tag))
    return {
      known,
      unknown,
      stored: this.#storedTags(unknown),
      atMs: clock.monotonic(),
      changes: this.#known.changes,
    }
  }

  #endAsking({ known, unknown, atMs, changes }: Asked, answers: readonly string[]): Versions {
    if (unknown.length === 0) return known
    if (answers === this.#lastFound?.answers && known === NO_VERSIONS) return this.#lastFound.versions
    const found = new Map(known)
    for (const [at, tag] of unknown.entries()) {
      const version = answers[at]!
      found.set(tag, version)
      if (changes === this.#known.changes) this.#known.remember(tag, version, atMs)
    }
    if (known === NO_VERSIONS) this.#lastFound = { answers, versions: found }
    return found
  }

  #storedTags(tags: readonly string[]): readonly string[] {
    if (tags !== this.#lastNamed?.tags) this.#lastNamed = { tags, stored: tags.map(this.#storedTag) }
    return this.#lastNamed.stored
  }

  /** The versions of those tags that are remembered since before `beforeMs`, without asking. */
  knownVersions(tags: readonly string[], beforeMs: number): Versions {
    return this.#known.before(tags, beforeMs)
  }

  /** What remembered versions there are may be wrong: messages were lost. */
  forgetVersions(tags?: readonly string[]): void {
    this.#known.forget(tags)
  }

  /**
   * Stores a record on the mark that was read at `readAtMs`, unless that was so long ago that the fence may have ended.
   * `undefined`: the store did not answer, or does not take this record.
   */
  async fill(key: string, record: StoreRecord, mark: Mark, readAtMs: number): Promise<boolean | undefined> {
    const { clock, fenceMs, store } = this.#options
    if (clock.monotonic() - readAtMs >= fenceMs / 2) return false
    if (this.#breaker.isOpen) return undefined
    const filled = await this.#try('fill', () =>
      store.fill(this.#stored(key), record, mark).catch((error: unknown) => this.#tellRefusal(error)),
    )
    if (filled === 'refused') return undefined
    // It may yet arrive, when no tombstone is there any more to refuse it.
    if (filled === undefined) this.#backlog.miss({ kind: 'key', names: [key], held: false })
    return filled
  }

  /** Puts tombstones, told later if the store does not answer. Returns their marks, `undefined` for each in that case. */
  async invalidate(keys: readonly string[], held: boolean): Promise<readonly (Mark | undefined)[]> {
    const marks: (Mark | undefined)[] = []
    for (const names of inBatches(keys)) {
      const told: Told = { kind: 'key', names, held }
      const answer = await this.#try('invalidate', () => this.#tell(told))
      this.#remember(told, answer !== undefined)
      for (const at of names.keys()) marks.push(answer?.[at])
    }
    return marks
  }

  /** Gives tags new versions; told later if the store does not answer. */
  async bump(tags: readonly string[], held: boolean): Promise<void> {
    if (tags.length === 0) return
    this.forgetVersions(tags)
    for (const names of inBatches(tags)) {
      const told: Told = { kind: 'tag', names, held }
      this.#remember(told, (await this.#try('bump', () => this.#tell(told))) !== undefined)
    }
    this.forgetVersions(tags)
  }

  /** The application's own value took the place of another by a fill: should the store lose that, the other must not count. */
  replaced(key: string): void {
    this.#remember({ kind: 'key', names: [key], held: false }, true)
  }

  /** Asks for the permission of `holder` to load for all processes; `undefined` when the store does not answer. */
  lease(name: string, holder: string, leaseMs: number): Promise<boolean | undefined> {
    return this.#try('lease', () => this.#options.store.lease(this.#aside(name), holder, leaseMs))
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#try('release', () => this.#options.store.release(this.#aside(name), holder))
  }

  /** The mark of the last note under a name; `''` where there is none, `undefined` when the store does not answer. */
  async readNote(name: string): Promise<Mark | undefined> {
    return await this.#reads.ask(this.#aside(name), NO_TAGS, (answer) => answer?.entry?.mark)
  }

  /** Leaves a note for so long: a new mark, by which those who look learn of it. */
  async putNote(name: string, noteMs: number): Promise<void> {
    await this.#try('invalidate', () => this.#options.store.invalidate([this.#aside(name)], noteMs, false))
  }

  close(): void {
    this.#stopWatching?.()
    this.#breaker.close()
  }

  async #try<T>(operation: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#breaker.call(operation, run)
    } catch {
      return undefined // the breaker has told; the caller goes on without the store
    }
  }

  /** One call that tells the store of invalidations; answers the marks of tombstones. */
  async #tell({ kind, names, held }: Told): Promise<readonly Mark[]> {
    const { store, fenceMs } = this.#options
    if (kind === 'key') return await store.invalidate(names.map(this.#stored), fenceMs, held)
    await store.bump(names.map(this.#storedTag), held ? fenceMs : undefined)
    return []
  }

  #remember(told: Told, wasTold: boolean): void {
    if (wasTold) this.#backlog.acknowledge(told)
    else this.#backlog.miss(told)
    if (!wasTold && !this.#breaker.isOpen) this.#breaker.doubt() // it was refused: nothing may be read until it is told
  }

  /** Makes up for what the store missed, before anything is read. */
  async #recover(attempt: Attempt): Promise<void> {
    const { store, fenceMs, onMadeUp } = this.#options
    this.forgetVersions()
    const probe = (names: readonly string[]) =>
      attempt('probe', () => store.invalidate(names.map(this.#aside), fenceMs, false))
    const tell = async (told: Told): Promise<void> => {
      const { kind, names } = told
      await attempt(kind === 'key' ? 'invalidate' : 'bump', () => this.#tell(told))
      this.#remember(told, true)
      onMadeUp({ keys: kind === 'key' ? names : [], tags: kind === 'tag' ? names : [] })
    }
    await this.#backlog.makeUp(probe, tell)
  }

  #tellError(operation: string, error: StoreError): void {
    this.#options.onError()
    this.#options.emitter.emit('storeError', { operation, error })
  }

  /** A record that the store does not take is no reason to leave the store alone. */
  #tellRefusal(error: unknown): 'refused' {
    if (!(error instanceof StoreError && error.refused)) throw error
    this.#tellError('fill', error)
    return 'refused'
  }

  /** One read. A store that leaves names out breaks its contract: that is its failure, not the reader's. */
  async #readAll(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    const answer: Partial<StoreAnswer> | undefined = await this.#options.store.read(keys, tags)
    const { entries = [], versions = [] } = answer ?? {}
    const isWhole =
      keys.every((_, at) => entries[at] !== undefined) && tags.every((_, at) => versions[at] !== undefined)
    if (isWhole) return { entries, versions }
    throw new StoreError(
      `the store did not answer each of the ${keys.length + tags.length} names that it was asked for`,
    )
  }

  readonly #stored = (key: string): string => storedKey(this.#options.name, key)
  readonly #storedTag = (tag: string): string => storedTag(this.#options.name, tag)

  /** Beside the keys of users, which have `:` or `/` after the name. */
  readonly #aside = (name: string): string => `${this.#options.name}?${name}`
}

const NO_TAGS: readonly string[] = []
const NO_ANSWER: TaggedRead = { mark: undefined, versions: NO_VERSIONS }

function* inBatches(names: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < names.length; at += STORE_BATCH_MAX) yield names.slice(at, at + STORE_BATCH_MAX)
}
