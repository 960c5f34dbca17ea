import { type Clock, sleep } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { Serial } from '../core/serial.ts'
import type { Changes } from './changes.ts'
import type { Emitter } from './emitter.ts'
import type { Entry } from './entry.ts'
import type { Lease } from './lease.ts'
import { freshMsOf, type Life } from './life.ts'
import type { NearTier } from './near-tier.ts'
import type { Sealer } from './sealer.ts'
import type { Before, SharedReads } from './shared-reads.ts'
import { EVERYTHING, isHeld, type SharedTier, type Versions } from './shared-tier.ts'

/** What writes need to know of their cache. */
export interface WritesOptions {
  readonly near: NearTier
  readonly tier: SharedTier | undefined
  readonly shared: SharedReads | undefined
  readonly changes: Changes
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly emitter: Emitter
  readonly shownKey: (key: string) => string
}

/** A value to keep under a key. */
export interface Write {
  readonly key: string
  readonly value: unknown
  readonly life: Life
}

/** Makes the next value of a key from the one before it. */
type Change = (value: unknown) => unknown

/** Puts values that the application has, rather than a loader, into the tiers. */
export class Writes {
  readonly #options: WritesOptions
  /** Stores of one key reach the store in the order of the calls. */
  readonly #toStore = new Serial()

  constructor(options: WritesOptions) {
    this.#options = options
  }

  /** Keeps a value whatever is there. Loads of the key under way are not kept. */
  async set(write: Write): Promise<void> {
    const { near, tier, changes, emitter, shownKey } = this.#options
    const { key, life } = write
    near.voidLoads(key)
    const lease = near.lease(key, life.tags)
    const inStore = tier !== undefined && !lease.fed
    if (!this.#keepNear(write, lease)) near.deleteKeys([key], 'invalidate')
    if (inStore) {
      await this.#toStore.run(key, async () => this.#setShared(write, await tier.versions([EVERYTHING, ...life.tags])))
      near.voidLoads(key)
    }
    changes.publishDelete([key])
    emitter.emit('set', { key: shownKey(key) })
  }

  /**
   * Replaces a value by what `change` makes of it; tried again until nothing came in between.
   *
   * @throws StoreError (`ERR_STORE`) when others change the key in the store again and again
   */
  async update(key: string, change: Change, life: Life): Promise<unknown> {
    const { near, clock, changes, shownKey } = this.#options
    for (let attempt = 1; attempt <= UPDATE_ATTEMPTS; attempt++) {
      near.voidLoads(key)
      const lease = near.lease(key, life.tags)
      try {
        const outcome = await this.#tryUpdate(key, change, life, lease)
        if (outcome !== undefined) {
          if (outcome.kept) changes.publishDelete([key])
          else await changes.delete({ keys: [key] })
          return outcome.value
        }
      } finally {
        lease.end(false)
      }
      near.deleteKeys([key], 'invalidate')
      if (attempt > 1) await sleep(clock, attempt)
    }
    throw new StoreError(`update of ${JSON.stringify(shownKey(key))} found the key changed ${UPDATE_ATTEMPTS} times`)
  }

  /** One attempt; `undefined` when something came in between. */
  async #tryUpdate(
    key: string,
    change: Change,
    life: Life,
    lease: Lease,
  ): Promise<{ value: unknown; kept: boolean } | undefined> {
    const { near, sealer } = this.#options
    const { sealed, entry, before, held } = await this.#current(key, life, lease)
    if (held) return undefined
    const value = await change(sealed && sealer.open(sealed.value))
    if (!lease.holds || !near.holds(key, entry)) return undefined
    if (value === undefined) return { value, kept: false }
    const outcome = await this.#keep({ key, value, life }, lease, before)
    return outcome === 'overtaken' ? undefined : { value, kept: outcome === 'kept' }
  }

  /** Writes to the database, and keeps the values unless something else voided them in between. */
  async through(writes: readonly Write[], write: () => unknown): Promise<void> {
    const { near, tier, changes, clock } = this.#options
    const keys = writes.map(({ key }) => key)
    near.deleteKeys(keys, 'invalidate')
    const readAtMs = clock.monotonic()
    const marks = await tier?.invalidate(keys, true)
    near.deleteKeys(keys, 'invalidate')
    const leases = writes.map(({ key, life }) => near.lease(key, life.tags))
    let kept: boolean[] = []
    try {
      const versions = await Promise.all(writes.map(({ life }) => tier?.versions([EVERYTHING, ...life.tags])))
      await write()
      const outcomes = await Promise.all(
        writes.map((each, at) =>
          this.#keep(each, leases[at]!, { mark: marks?.[at], versions: versions[at] ?? new Map(), readAtMs }),
        ),
      )
      kept = outcomes.map((outcome) => outcome === 'kept')
    } finally {
      for (const lease of leases) lease.end(false)
      await changes.delete({ keys: keys.filter((_, at) => !kept[at]) })
      changes.publishDelete(keys.filter((_, at) => kept[at]))
    }
  }

  /**
   * Keeps a value where it belongs. `overtaken`: its lease was voided, or the store has another mark by now. `unkept`: a
   * feed covers it and can not vouch for it. A store that does not answer is told later that what it has is old.
   */
  async #keep(write: Write, lease: Lease, before: Before): Promise<'kept' | 'overtaken' | 'unkept'> {
    const { tier, shared, random } = this.#options
    if (!lease.holds) return 'overtaken'
    if (!lease.mayStore) return 'unkept'
    if (shared !== undefined && !lease.fed) {
      const freshMs = freshMsOf(write.value, write.life, random)
      if (before.mark === undefined) await tier!.invalidate([write.key], false)
      else if ([...before.versions.values()].some(isHeld)) return 'overtaken'
      else if (!(await shared.fill({ ...write, ...before, freshMs, etag: undefined }))) return 'overtaken'
    }
    return this.#keepNear(write, lease) ? 'kept' : 'overtaken'
  }

  #keepNear({ key, value, life }: Write, lease: Lease): boolean {
    const { near, sealer, random, clock, shownKey } = this.#options
    const nowMs = clock.monotonic()
    const sealed = sealer.seal(value, shownKey(key))
    const mayStore = lease.mayStore
    if (mayStore)
      near.keep(key, sealed, lease, life, { nowMs, loadedAtMs: nowMs, freshMs: freshMsOf(value, life, random) })
    lease.end(false)
    return mayStore
  }

  async #setShared({ key, value, life }: Write, versions: Versions | undefined): Promise<void> {
    const { tier, shared, random } = this.#options
    const usable = versions !== undefined && ![...versions.values()].some(isHeld)
    const freshMs = freshMsOf(value, life, random)
    const record = usable ? shared!.record({ key, value, life, freshMs, etag: undefined, versions }) : undefined
    if (record === undefined) await tier!.invalidate([key], false)
    else await tier!.set(key, record)
  }

  /** What a key holds now. Where there is a store it decides: another process may have changed it. */
  async #current(key: string, life: Life, lease: Lease): Promise<Current> {
    const { near, clock, shared } = this.#options
    if (shared !== undefined && !lease.fed) {
      const { before, held, found } = await shared.look({ key, life })
      const isFresh = found !== undefined && found.record.freshMs > 0
      const sealed = isFresh ? { value: found.sealed } : undefined
      return { sealed, entry: near.peek(key, clock.monotonic()), before, held }
    }
    const nowMs = clock.monotonic()
    const entry = near.peek(key, nowMs)
    const standing = entry === undefined ? 'gone' : near.standing(key, entry, nowMs)
    const isFresh = standing === 'fresh' || standing === 'renew'
    return {
      sealed: isFresh ? { value: entry!.sealed } : undefined,
      entry: near.peek(key, nowMs),
      before: NO_STORE,
      held: false,
    }
  }
}

/** The state that an update begins with. */
interface Current {
  readonly sealed: { readonly value: unknown } | undefined
  readonly entry: Entry | undefined
  readonly before: Before
  /** Another process writes the key to the database. */
  readonly held: boolean
}

const NO_STORE: Before = { mark: undefined, versions: new Map(), readAtMs: 0 }

const UPDATE_ATTEMPTS = 100
