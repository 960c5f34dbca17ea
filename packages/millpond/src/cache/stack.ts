import type { Bus } from '../core/bus.ts'
import { type Clock, timeLimit } from '../core/clock.ts'
import { ClosedError, OptionError } from '../core/errors.ts'
import type { Feed } from '../core/feed.ts'
import type { Random } from '../core/random.ts'
import type { Store } from '../core/store.ts'
import { Changes, type Targets } from './changes.ts'
import { Emitter } from './emitter.ts'
import type { Fleet } from './fleet.ts'
import { Loads } from './loads.ts'
import { type MakeTable, NearTier } from './near-tier.ts'
import type { NearWrites } from './near-writes.ts'
import type { CacheOptions } from './options.ts'
import type { Sealer } from './sealer.ts'
import type { Settings } from './settings.ts'
import type { SharedReads } from './shared-reads.ts'
import type { SharedTier } from './shared-tier.ts'
import { Counters } from './stats.ts'

/** What every part of a stack is given. */
export interface Common {
  readonly clock: Clock
  readonly random: Random
  readonly counters: Counters
  readonly emitter: Emitter
  readonly sealer: Sealer
  readonly near: NearTier
}

/** The shared tier, the reads through it, and the loads for all who share it. */
export interface Shared {
  readonly tier: SharedTier
  readonly reads: SharedReads
  readonly fleet: Fleet
}

/** The parts that a small cache and a full one have different: who does not use a store does not carry its code. */
export interface StackParts<W extends NearWrites> {
  readonly sealer: Sealer
  readonly table: MakeTable
  readonly shared?: (given: SharedGiven) => Shared
  readonly writes: (given: Common & { changes: Changes; shared: Shared | undefined }) => W
}

/** What a shared tier is made of. */
export interface SharedGiven extends Common {
  readonly name: string
  readonly store: Store
  readonly hearsChanges: boolean
  /** The store was told what it had missed. */
  readonly onMadeUp: (targets: Targets) => void
}

type StackOptions = Pick<CacheOptions, 'store' | 'bus' | 'feed' | 'waitUntil'>

/** What a cache and its namespaces share: the tiers, and what moves values between them. */
export class Stack<W extends NearWrites = NearWrites> {
  readonly settings: Settings
  readonly counters: Counters = new Counters()
  readonly emitter: Emitter
  readonly sealer: Sealer
  readonly near: NearTier
  readonly feed: Feed | undefined
  readonly shared: Shared | undefined
  readonly loads: Loads
  readonly changes: Changes
  readonly writes: W
  readonly closers: (() => Promise<void>)[] = []
  closed: Promise<void> | undefined
  isClosed = false
  #isDelivered = false
  readonly #pending = new Set<Promise<unknown>>()
  readonly #leave: (() => void)[] = []
  readonly #owned: readonly Owned[]
  readonly #waitUntil: CacheOptions['waitUntil']

  constructor(settings: Settings, options: StackOptions, parts: StackParts<W>) {
    const { clock, random, enabled, name } = settings
    const { store, bus, feed } = enabled ? options : {}
    checkPart('clock', clock, 'monotonic')
    checkPart('store', store, 'read')
    checkPart('bus', bus, 'publish')
    checkPart('feed', feed, 'covers')
    this.settings = settings
    this.#waitUntil = options.waitUntil
    this.emitter = new Emitter(name, settings.logger)
    this.sealer = parts.sealer
    const { counters, emitter, sealer } = this
    const common = { clock, random, counters, emitter, sealer, enabled }
    const near = new NearTier({ ...common, memory: settings.memory, table: parts.table, feed })
    const background = (work: Promise<unknown>): void => this.#background(work)
    const track = (work: Promise<unknown>): void => void this.track(work)
    const shared =
      store &&
      parts.shared?.({
        ...common,
        name,
        near,
        store,
        hearsChanges: bus !== undefined,
        onMadeUp: (targets) => this.changes.publishDelete(targets),
      })
    const changes = new Changes({ ...common, name, near, bus, background, shared: shared?.tier })
    this.near = near
    this.feed = feed
    this.shared = shared
    this.changes = changes
    this.loads = new Loads({ ...common, near, background, track, shared })
    this.writes = parts.writes({ ...common, near, changes, shared })
    if (bus) this.#leave.push(bus.subscribe(changes))
    if (feed) this.#leave.push(feed.subscribe(changes))
    this.#owned = [store, bus, feed].filter((part) => part !== undefined)
    for (const part of this.#owned) users.set(part, (users.get(part) ?? 0) + 1)
  }

  track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work)
    const forget = (): void => void this.#pending.delete(work)
    work.then(forget, forget)
    return work
  }

  close(timeoutMs: number): Promise<void> {
    this.closed ??= this.#close(timeoutMs)
    return this.closed
  }

  async #close(timeoutMs: number): Promise<void> {
    const failures = await timeLimit(
      this.settings.clock,
      timeoutMs,
      () => this.#drain(),
      () => (this.#isDelivered ? [] : [new ClosedError(`the cache ${this.settings.name}, with writes not delivered,`)]),
    )
    this.isClosed = true
    this.loads.end(new ClosedError(`the cache ${this.settings.name}`))
    for (const leave of this.#leave) leave()
    this.shared?.tier.close()
    this.near.clear('delete')
    await timeLimit(
      this.settings.clock,
      timeoutMs,
      () => Promise.all(this.#owned.map(release)),
      () => [],
    )
    if (failures.length > 0) throw failures[0]
  }

  /** Write-behind first, because it may start work; then all that is under way. Returns what failed to be delivered. */
  async #drain(): Promise<unknown[]> {
    const results = await Promise.allSettled(this.closers.map((run) => run()))
    this.#isDelivered = true
    // What is under way, and what that starts: a fill after a load. Not what traffic goes on to bring.
    for (let round = 0; round < 3; round++) await Promise.allSettled([...this.#pending, ...this.loads.underWay])
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  }

  #background(work: Promise<unknown>): void {
    const { logger, name } = this.settings
    const safe = work.catch((error: unknown) =>
      logger.error({ error, cache: name }, 'background work of the cache failed'),
    )
    void this.track(safe)
    try {
      this.#waitUntil?.(safe)
    } catch (error) {
      logger.error({ error, cache: name }, 'waitUntil threw')
    }
  }
}

/** Refuses what can not be a part: one method stands for all. */
function checkPart(option: string, part: object | undefined, method: string): void {
  if (part === undefined || typeof (part as Record<string, unknown>)[method] === 'function') return
  throw new OptionError(option, part, `give one with the methods of its interface; ${method}() is missing`)
}

type Owned = Store | Bus | Feed

/** How many caches use a store, bus or feed: the last one that closes closes it. */
const users = new WeakMap<Owned, number>()

async function release(part: Owned): Promise<void> {
  const left = (users.get(part) ?? 1) - 1
  users.set(part, left)
  if (left === 0) await part.close()
}
