import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { Mark, StoreRecord } from '../core/store.ts'
import type { Emitter } from './emitter.ts'
import { shownKey } from './inner-key.ts'
import type { Lease } from './lease.ts'
import type { Accept, Life } from './life.ts'
import type { NearTier } from './near-tier.ts'
import { same, type Use } from './read-batches.ts'
import type { Sealer } from './sealer.ts'
import type { SharedTier } from './shared-tier.ts'
import { anyHeld, EVERYTHING, type Versions } from './versions.ts'

/** What reads through the shared tier need to know of their cache. */
export interface SharedReadsOptions {
  readonly tier: SharedTier
  readonly near: NearTier
  readonly sealer: Sealer
  readonly codec: Codec
  readonly clock: Clock
  readonly emitter: Emitter
}

/** How a load is started. */
export interface How {
  /** Nobody waits for it. */
  readonly background: boolean
  /** Do not be content with what a store has. */
  readonly force: boolean
}

/** How a flight ended. `stale`: from a store, and to be renewed. `fallback`: stale, because loading failed or is slow. */
export interface Landed {
  readonly sealed: unknown
  readonly from: 'load' | 'store' | 'stale' | 'fallback'
}

/** What a fill must know of the shared tier as it was before the load. */
export interface Before {
  /** What stood under the key; without it nothing may be filled. */
  readonly mark: Mark | undefined
  /** The tags' versions. */
  readonly versions: Versions
  readonly readAtMs: number
}

/** What the shared tier had for a key before a load. */
export interface Promotion extends Before {
  /** A write is under way: what is loaded now is kept nowhere. */
  readonly held: boolean
  /** The read is answered. */
  readonly landed?: Landed
  /** A stale value, for when loading fails. */
  readonly fallback?: Found
}

/** A value that the shared tier has, its tags being valid. */
export interface Found {
  readonly sealed: unknown
  readonly etag: string | undefined
  readonly tags: readonly string[]
  readonly record: StoreRecord
}

/** What the shared tier answered, before anything is made of it. */
interface Looked {
  readonly before: Before
  readonly held: boolean
  readonly found: Found | undefined
}

/** A value to fill in. */
export interface Filling extends Before {
  readonly key: string
  readonly value: unknown
  readonly life: Life
  readonly freshMs: number
  readonly etag: string | undefined
}

/**
 * Reads through the shared tier: brings what it has into the near tier, and fills it with what was loaded. An entry
 * that the change feed covers stays out of it: what another process stored there can not be proven fresh here.
 */
export class SharedReads {
  readonly #options: SharedReadsOptions
  /** Tags that were read last, with the one of all before them: most reads are of the same. */
  #lastTags: { readonly own: readonly string[]; readonly all: readonly string[] } = { own: [], all: [EVERYTHING] }

  constructor(options: SharedReadsOptions) {
    this.#options = options
  }

  /**
   * Reads a key under a lease, before it is loaded, and gives what `use` makes of that. `undefined`: the shared tier has no
   * part in this key. What was answered goes all the way at once: a hit waits for nothing but the answer.
   */
  promote<T>(wish: Sought, lease: Lease, how: How, use: Use<Promotion | undefined, T>): Promise<T> {
    if (lease.fed) return NO_PART.then(use)
    return this.#look(wish, (looked) => use(this.#promoted(wish, lease, how, looked)))
  }

  /** What the shared tier has for a key, without bringing it anywhere. */
  look(wish: Sought): Promise<Looked> {
    return this.#look(wish, same)
  }

  #promoted({ key, life }: Sought, lease: Lease, how: How, { before, held, found }: Looked): Promotion | undefined {
    const { mark, versions, readAtMs } = before
    if (found === undefined || how.force || held) return { mark, versions, readAtMs, held }
    const { sealed, etag, tags, record } = found
    const isStale = record.freshMs <= 0
    if (isStale && (life.staleWhileRevalidateMs === 0 || how.background))
      return { mark, versions, readAtMs, held, fallback: found }
    const { near } = this.#options
    near.addTags(lease, tags)
    if (lease.fed) return undefined
    if (!isStale) {
      const times = { nowMs: readAtMs, loadedAtMs: readAtMs, freshMs: record.freshMs, etag }
      near.keep(key, sealed, lease, within(life, record), times)
    }
    return { mark, versions, readAtMs, held, landed: { sealed, from: isStale ? 'stale' : 'store' } }
  }

  #look<T>({ key, life }: Sought, use: Use<Looked, T>): Promise<T> {
    const { tier, clock } = this.#options
    const readAtMs = clock.monotonic()
    return tier.read(key, this.#tagsOf(life), ({ mark, record, held, versions }) => {
      const before = { mark, versions, readAtMs }
      const isHeld = held === true || anyHeld(versions)
      const found = record && this.#find(key, record, versions, life.accept)
      if (!(found instanceof Promise)) return use({ before, held: isHeld, found })
      return found.then((late) => use({ before, held: isHeld, found: late }))
    })
  }

  #tagsOf({ tags: own }: Life): readonly string[] {
    if (own !== this.#lastTags.own) this.#lastTags = { own, all: [EVERYTHING, ...own] }
    return this.#lastTags.all
  }

  /**
   * Fills the shared tier on the mark that was read, if every tag had a version before the load. Returns whether it did;
   * `undefined` when the value has no form as text.
   */
  async fill(filling: Filling): Promise<boolean | undefined> {
    const { tier } = this.#options
    const { key, life, mark, versions, readAtMs } = filling
    if (mark === undefined) return false
    const names = [EVERYTHING, ...life.tags]
    const known = new Map([...tier.knownVersions(names, readAtMs), ...versions])
    const unknown = names.filter((name) => !known.has(name))
    if (unknown.length > 0) {
      await tier.versions(unknown) // too late for this load; the next one will know them
      return false
    }
    const record = this.record({ ...filling, versions: known })
    return record && (await tier.fill(key, record, mark, readAtMs))
  }

  /** The record of a value, or `undefined` (and an event) where it has no form as text. */
  record(filling: Omit<Filling, 'mark' | 'readAtMs'>): StoreRecord | undefined {
    const { codec, emitter } = this.#options
    const { key, value, life, freshMs, etag, versions } = filling
    const keepMs = freshMs + Math.max(life.staleWhileRevalidateMs, life.staleIfErrorMs)
    const tags = [EVERYTHING, ...life.tags].map((name) => [name, versions.get(name)!] as const)
    try {
      return { value: codec.encode(value), freshMs, keepMs, tags, ...(etag === undefined ? {} : { etag }) }
    } catch (error) {
      emitter.emit('encodeError', { key: shownKey(key), error })
      return undefined
    }
  }

  /** A record's value if its tags are current: at once, unless the store has to be asked for more, or somebody checks the value. */
  #find(
    key: string,
    record: StoreRecord,
    versions: Versions,
    accept: Accept | undefined,
  ): MaybeLater<Found | undefined> {
    const isCurrent = isCurrentBy(record, versions)
    if (isCurrent !== undefined) return isCurrent ? this.#open(key, record, accept) : undefined
    return this.#isCurrent(record, versions).then((is) => (is ? this.#open(key, record, accept) : undefined))
  }

  #open(key: string, record: StoreRecord, accept: Accept | undefined): MaybeLater<Found | undefined> {
    const { codec, sealer, emitter } = this.#options
    const shown = shownKey(key)
    const found = (value: unknown): Found => {
      return { sealed: sealer.seal(value, shown), etag: record.etag, tags: namesOf(record), record }
    }
    const fail = (error: unknown): undefined => emitter.emit('decodeError', { key: shown, error }) as undefined
    try {
      const decoded = codec.decode(record.value)
      return accept === undefined ? found(decoded) : Promise.resolve(accept(decoded, shown)).then(found).catch(fail)
    } catch (error) {
      return fail(error)
    }
  }

  /** Whether none of the record's tags has got another version since, where the store has to be asked for some. */
  async #isCurrent(record: StoreRecord, versions: Versions): Promise<boolean> {
    const unknown = record.tags.map(([name]) => name).filter((name) => !versions.has(name))
    const more = await this.#options.tier.versions(unknown)
    return record.tags.every(([name, version]) => (versions.get(name) ?? more?.get(name)) === version)
  }
}

/** A key that is read, and what its reader asks for. */
interface Sought {
  readonly key: string
  readonly life: Life
}

type MaybeLater<T> = T | Promise<T>

const NO_PART: Promise<undefined> = Promise.resolve(undefined)

/** Whether a record's tags have these versions; `undefined` where some are not among them. */
function isCurrentBy(record: StoreRecord, versions: Versions): boolean | undefined {
  for (const [name, version] of record.tags) {
    const current = versions.get(name)
    if (current !== version) return current === undefined ? undefined : false
  }
  return true
}

/** The tags of a record, as the cache's user knows them. */
function namesOf(record: StoreRecord): string[] {
  return record.tags.map(([name]) => name).filter((name) => name !== EVERYTHING)
}

/** The life of a promoted entry: its stale windows end when the store's do. */
function within(life: Life, record: StoreRecord): Life {
  const staleMs = Number.isFinite(record.freshMs) ? record.keepMs - record.freshMs : 0
  if (Math.max(life.staleWhileRevalidateMs, life.staleIfErrorMs) <= staleMs) return life // a copy costs a tenth of a read
  return {
    ...life,
    staleWhileRevalidateMs: Math.min(life.staleWhileRevalidateMs, staleMs),
    staleIfErrorMs: Math.min(life.staleIfErrorMs, staleMs),
  }
}
