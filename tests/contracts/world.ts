/** What the tests of the cache's behaviour play with: a database, gates to hold what is under way, caches that share tiers. */
import { type Cache, type CacheOptions, createCache, type LoadContext, type Store } from 'millpond'
import { faultyStore, type ManualClock, MemoryBusHub, MemoryStore, manualClock, type StoreCall } from 'millpond/testing'

/** Holds whoever waits at it until it is opened. */
export interface Gate {
  readonly passed: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

/** A loader whose database is away. */
export function fail(): never {
  throw new Error('db down')
}

/** Counts loads; each gives its number. */
export function counting(): { load: () => number; readonly loads: number } {
  let loads = 0
  return {
    load: () => ++loads,
    get loads() {
      return loads
    },
  }
}

/** Rows with versions: 1 until they are written. A load reads its row first and is slow to bring it. */
export class Database {
  readonly #rows = new Map<string, number>()
  readonly #held: Gate[] = []
  loads = 0

  version(key: string): number {
    return this.#rows.get(key) ?? 1
  }

  write(key: string): number {
    const version = this.version(key) + 1
    this.#rows.set(key, version)
    return version
  }

  /** The next load reads, and then waits until the gate is opened. */
  holdNext(): Gate {
    const held = gate()
    this.#held.push(held)
    return held
  }

  /** A loader of `key`. It names `lateTags` when it is done. */
  load(key: string, lateTags: readonly string[] = []): (ctx: LoadContext<number>) => Promise<number> {
    return async (ctx) => {
      this.loads++
      const version = this.version(key)
      await this.#held.shift()?.passed
      if (lateTags.length > 0) ctx.set({ tags: lateTags })
      return version
    }
  }
}

/** Holds calls of a store, before they are made or before they are answered. */
export class StoreGates {
  readonly #before: { method: keyof Store; gate: Gate }[] = []
  readonly #after: { method: keyof Store; gate: Gate }[] = []

  wrap(store: Store): Store {
    return faultyStore(
      store,
      (call) => this.#wait(this.#before, call),
      (call) => this.#wait(this.#after, call),
    )
  }

  /** The next call of the method waits before it is made. */
  holdCall(method: keyof Store): Gate {
    return this.#hold(this.#before, method)
  }

  /** The next call of the method is made, and its answer waits. */
  holdAnswer(method: keyof Store): Gate {
    return this.#hold(this.#after, method)
  }

  #hold(list: { method: keyof Store; gate: Gate }[], method: keyof Store): Gate {
    const held = gate()
    list.push({ method, gate: held })
    return held
  }

  #wait(list: { method: keyof Store; gate: Gate }[], { method }: StoreCall): Promise<void> | undefined {
    const at = list.findIndex((each) => each.method === method)
    return at < 0 ? undefined : list.splice(at, 1)[0]!.gate.passed
  }
}

/** What a race is played on: a database, a store and a bus, and caches of as many processes as it asks for. */
export interface RaceWorld {
  readonly database: Database
  readonly store: Store
  readonly hub: MemoryBusHub
  cache(options?: CacheOptions): Cache
  /** Lets everything that is ready run. */
  settle(): Promise<void>
  /** Lets time pass, for caches and store. */
  pass(ms: number): Promise<void>
}

/** One clock, one database, one store and one bus in memory. */
export class World implements RaceWorld {
  readonly clock: ManualClock = manualClock()
  readonly database = new Database()
  readonly store = new MemoryStore(this.clock)
  readonly hub = new MemoryBusHub()
  readonly #options: CacheOptions

  /** @param options of every cache, unless it says otherwise */
  constructor(options: CacheOptions = {}) {
    this.#options = options
  }

  cache(options: CacheOptions = {}): Cache {
    return createCache({ name: 'shop', clock: this.clock, ...this.#options, ...options })
  }

  settle(): Promise<void> {
    return this.clock.advance(0)
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }
}
