import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cache, type CacheOptions, createCache, type Store } from 'millpond'
import { Rows } from './rows.ts'
import { type Seen, Traffic, type TrafficOptions } from './traffic.ts'

/** What goes wrong, and how it ends. */
export interface Fault {
  /** Resolves when it is in force. */
  strike(): Promise<unknown>
  /** Resolves when the servers are well again. */
  mend(): Promise<unknown>
}

/** A trial: caches under traffic, each with a store of its own on the same servers, while a fault strikes and ends. */
export interface TrialOptions extends Pick<TrafficOptions, 'perSecond' | 'keys' | 'writeShare' | 'seed'> {
  /** A store as another process would make it. */
  readonly store: () => Promise<Store> | Store
  readonly fault: Fault
  /** How long the fault lasts. Default 600 ms. */
  readonly faultMs?: number
  /** Default 2. */
  readonly processes?: number
  readonly cache?: CacheOptions
  /** From the first request on the fault is in force: nothing is warm. */
  readonly fromStart?: boolean
}

/** What a trial showed. */
export interface Outcome {
  /** Requests from the strike until the servers were well. */
  readonly during: Seen
  /** Those after it, until all caches were seen to use the store again and a little longer. */
  readonly after: Seen
  /** From when the servers were well until every cache had a value from the store. */
  readonly recoveryMs: number
  /** Rows that a process reads old after recovery: deletes that were lost. */
  readonly lost: readonly string[]
  /** What the stores' errors said, each once. */
  readonly errors: readonly string[]
  /** How often a breaker opened. */
  readonly opened: number
}

const WARM_MS = 300
const AFTER_MS = 200
/** A store that is not in use again by then never will be. */
const RECOVERY_MS_MAX = 15_000

/** Runs a trial. Throws when requests hang, or when a cache does not return to its store. */
export async function runTrial(options: TrialOptions): Promise<Outcome> {
  const { fault, faultMs = 600, processes = 2, fromStart = false } = options
  const rows = new Rows()
  if (fromStart) await fault.strike()
  await using fleet = await Fleet.open(processes, options)
  const traffic = new Traffic({ ...options, caches: fleet.caches, rows })
  traffic.start()
  try {
    if (!fromStart) {
      await fleet.useStores()
      await sleep(WARM_MS)
      traffic.take()
      await fault.strike()
    }
    await sleep(faultMs)
    await fault.mend()
    const during = traffic.take()
    const wellMs = performance.now()
    await fleet.useStores()
    const recoveryMs = performance.now() - wellMs
    await sleep(AFTER_MS)
    await traffic.stop()
    const lost = await fleet.staleRows(rows, options)
    return { during, after: traffic.take(), recoveryMs, lost, errors: [...fleet.errors], opened: fleet.opened }
  } finally {
    await traffic.stop().catch(() => undefined)
  }
}

/** The caches of a trial, each as if it were a process. */
class Fleet implements AsyncDisposable {
  readonly caches: Cache[] = []
  readonly errors = new Set<string>()
  opened = 0
  /** What earlier trials have left on the servers is nobody's. */
  readonly #name = `trial-${randomUUID()}`
  readonly #stores: Store[] = []

  static async open(processes: number, options: TrialOptions): Promise<Fleet> {
    const fleet = new Fleet()
    for (let at = 0; at < processes; at++) await fleet.join(options)
    return fleet
  }

  async join({ store, cache: cacheOptions }: TrialOptions): Promise<Cache> {
    const place = await store()
    this.#stores.push(place)
    const cache = createCache({ name: this.#name, ttl: '10m', memory: false, store: place, ...cacheOptions })
    cache.on('storeError', ({ error }) => this.errors.add(messages(error)))
    cache.on('storeState', ({ state }) => (this.opened += state === 'open' ? 1 : 0))
    this.caches.push(cache)
    return cache
  }

  /** Waits until each cache has had a value from its store, by the traffic that runs. */
  async useStores(): Promise<void> {
    await Promise.all(this.caches.map(usesStore))
  }

  /** The rows that a new process, or one of these, does not read as they are. */
  async staleRows(rows: Rows, options: TrialOptions): Promise<string[]> {
    await this.join(options)
    const stale = new Set<string>()
    for (const cache of this.caches) {
      for (const key of rows.written) {
        const version = await cache.getOrSet(key, () => rows.load(key))
        if (version !== rows.version(key)) stale.add(`${key}: ${version} instead of ${rows.version(key)}`)
      }
    }
    return [...stale]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.caches.map((cache) => cache.close()))
    await Promise.all(this.#stores.map((store) => store.close()))
  }
}

function usesStore(cache: Cache): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => finish(new Error(`not back at the store in ${RECOVERY_MS_MAX} ms`)), RECOVERY_MS_MAX)
    const stop = cache.on('hit', ({ tier }) => {
      if (tier === 'store') finish()
    })
    const finish = (error?: Error): void => {
      clearTimeout(limit)
      stop()
      if (error === undefined) resolve()
      else reject(error)
    }
  })
}

/** What an error and those behind it say. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} < ${messages(error.cause)}`
}
