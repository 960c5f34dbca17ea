import { sleep } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'
import { Serial } from '../core/serial.ts'
import type { Changes } from './changes.ts'
import type { Entry } from './entry.ts'
import { shownKey } from './inner-key.ts'
import type { Lease } from './lease.ts'
import { freshMsOf, type Life } from './life.ts'
import { NearWrites, type Write } from './near-writes.ts'
import type { Before } from './shared-reads.ts'
import type { Common, Shared } from './stack.ts'
import { anyHeld, EVERYTHING, NO_VERSIONS } from './versions.ts'

/** Makes the next value of a key from the one before it. */
type Change = (value: unknown) => unknown

/** Puts values that the application has into all tiers. */
export class Writes extends NearWrites {
  readonly #all: WritesOptions
  /** Stores of one key reach the store in the order of the calls. */
  readonly #toStore = new Serial()

  constructor(options: WritesOptions) {
    super(options)
    this.#all = options
  }

  protected override async keepShared(write: Write, fed: boolean): Promise<void> {
    const { near, shared } = this.#all
    if (shared === undefined) return
    const { key } = write
    const entry = near.peek(key)
    const filled = await this.#toStore.run(key, () => this.#setShared(write, fed, shared))
    // Without the entry, a read may have brought what the store had until now; overtaken, the value is old.
    if (filled !== false && near.holds(key, entry)) near.voidLoads(key)
    else near.deleteKeys([key], 'invalidate')
  }

  /**
   * Replaces a value by what `change` makes of it; tried again until nothing came in between.
   *
   * @throws StoreError (`ERR_STORE`) when others change the key in the store again and again
   */
  async update(key: string, change: Change, life: Life): Promise<unknown> {
    const { near, clock, changes, shared } = this.#all
    const untilMs = clock.monotonic() + 2 * (shared?.tier.fenceMs ?? 0) // a write that its process did not end holds one fence
    let attempt = 1
    for (; attempt <= UPDATE_ATTEMPTS || clock.monotonic() <= untilMs; attempt++) {
      near.voidLoads(key)
      const lease = near.lease(key, life.tags)
      try {
        const outcome = await this.#tryUpdate(key, change, life, lease)
        if (outcome !== undefined) {
          if (outcome.kept) changes.publishDelete({ keys: [key] })
          else await changes.delete({ keys: [key] })
          return outcome.value
        }
      } finally {
        lease.end(false)
      }
      near.deleteKeys([key], 'invalidate')
      if (attempt > 1) await sleep(clock, Math.min(attempt, UPDATE_ATTEMPTS))
    }
    throw new StoreError(`update of ${JSON.stringify(shownKey(key))} found the key changed ${attempt} times`)
  }

  /** One attempt; `undefined` when something came in between. */
  async #tryUpdate(
    key: string,
    change: Change,
    life: Life,
    lease: Lease,
  ): Promise<{ value: unknown; kept: boolean } | undefined> {
    const { near, sealer } = this.#all
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
    const { near, shared, changes, clock } = this.#all
    const keys = writes.map(({ key }) => key)
    near.deleteKeys(keys, 'invalidate')
    const readAtMs = clock.monotonic()
    const watches = writes.map(({ key, life }) => near.lease(key, life.tags))
    const marks = await shared?.tier.invalidate(keys, true)
    const untouched = watches.map((watch) => watch.holds)
    for (const watch of watches) watch.end(false)
    near.deleteKeys(keys, 'invalidate')
    changes.publishDelete({ keys })
    const leases = writes.map(({ key, life }) => near.lease(key, life.tags))
    let kept: boolean[] = []
    try {
      const versions = await Promise.all(writes.map((each) => shared?.tier.versions(namesOf(each))))
      await write()
      const outcomes = await Promise.all(
        writes.map(async (each, at) => {
          if (!untouched[at]) return 'overtaken'
          return this.#keep(each, leases[at]!, { mark: marks?.[at], versions: versions[at] ?? NO_VERSIONS, readAtMs })
        }),
      )
      kept = outcomes.map((outcome) => outcome === 'kept')
    } finally {
      for (const lease of leases) lease.end(false)
      await changes.delete({ keys: keys.filter((_, at) => !kept[at]) })
      changes.publishDelete({ keys: keys.filter((_, at) => kept[at]) })
    }
  }

  /**
   * Keeps a value where it belongs. `overtaken`: its lease was voided, or the store has another mark by now. `unkept`: a
   * feed covers it and can not vouch for it. A store that does not answer is told later that what it has is old.
   */
  async #keep(write: Write, lease: Lease, before: Before): Promise<'kept' | 'overtaken' | 'unkept'> {
    const { shared, random } = this.#all
    if (!lease.holds) return 'overtaken'
    if (!lease.mayStore) return 'unkept'
    let inStore = false
    if (shared !== undefined && !lease.fed) {
      const freshMs = freshMsOf(write.value, write.life, random)
      if (before.mark === undefined) await shared.tier.invalidate([write.key], false)
      else if (anyHeld(before.versions)) return 'overtaken'
      else {
        const filled = await shared.reads.fill({ ...write, ...before, freshMs, etag: undefined })
        if (filled === false) return 'overtaken'
        inStore = filled === true
        if (inStore) shared.tier.replaced(write.key)
        else await shared.tier.invalidate([write.key], false)
      }
    }
    // What the store took has happened, whatever voided the lease since: it voided that in the store too.
    return this.keepNear(write, lease) || inStore ? 'kept' : 'overtaken'
  }

  /**
   * Puts a held tombstone, under which no load fills, and then the value on its mark: if the tombstone was replaced by then,
   * something newer came. Returns whether the store took the value; `undefined` where it could not be asked to.
   */
  async #setShared(write: Write, fed: boolean, { tier, reads }: Shared): Promise<boolean | undefined> {
    const { key, value, life } = write
    const readAtMs = this.#all.clock.monotonic()
    const asking = fed ? undefined : tier.versions(namesOf(write))
    const [[mark], versions] = await Promise.all([tier.invalidate([key], !fed), asking])
    const usable = versions !== undefined && !anyHeld(versions)
    const freshMs = freshMsOf(value, life, this.#all.random)
    const before = { mark, readAtMs, versions: versions ?? NO_VERSIONS }
    const filled = usable ? await reads.fill({ key, value, life, freshMs, etag: undefined, ...before }) : undefined
    if (filled === undefined && !fed && mark !== undefined) await tier.invalidate([key], false)
    return filled
  }

  /** What a key holds now. Where there is a store it decides: another process may have changed it. */
  async #current(key: string, life: Life, lease: Lease): Promise<Current> {
    const { near, clock, shared } = this.#all
    if (shared !== undefined && !lease.fed) {
      const { before, held, found } = await shared.reads.look({ key, life })
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

const NO_STORE: Before = { mark: undefined, versions: NO_VERSIONS, readAtMs: 0 }

const UPDATE_ATTEMPTS = 100

interface WritesOptions extends Common {
  readonly changes: Changes
  readonly shared: Shared | undefined
}

/** The tags of a write, with the one that every stored entry carries. */
function namesOf({ life }: Write): readonly string[] {
  return [EVERYTHING, ...life.tags]
}
