import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cache, type CacheOptions, createCache, type Store } from 'millpond'
import type { RedisServer } from '../../../tools/servers/redis.ts'
import { until } from '../../../tools/servers/until.ts'
import { Rows } from './rows.ts'
import { type Seen, Traffic, type TrafficOptions } from './traffic.ts'

/** What goes wrong, and how it ends. */
export interface Fault {
  /** Resolves when it is in force. */
  strike(): Promise<unknown>
  /** Resolves when the servers are well again. */
  mend(): Promise<unknown>
  /**
   * Where servers take each other's place: the one that all stores have to write at, when nothing is wrong. The fault strikes
   * only when they do, and is over only when they do again: until then, each client goes on with the one that it knows.
   */
  primary?(): Promise<Pick<RedisServer, 'command'>>
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
  /**
   * From when the servers were well until every cache had a value from its store, which writes where it has to; less the time
   * for which the event loop stood still.
   */
  readonly recoveryMs: number
  /** Rows that a process reads old after recovery: deletes that were lost. */
  readonly lost: readonly string[]
  /** What the stores' errors said, each once. */
  readonly errors: readonly string[]
  /** Whether every cache's breaker opened after the strike. */
  readonly allOpened: boolean
}

const WARM_MS = 300
const AFTER_MS = 200
/** A store that is not in use again by then never will be. */
const RECOVERY_MS_MAX = 30_000
/** How long the trace of a store lasts. */
const REACH_MS = 10_000

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
      await sleep(WARM_MS)
      await fleet.reach(fault)
      await fleet.useStores()
      traffic.take()
      fleet.countOpened()
      await fault.strike()
    }
    await sleep(faultMs)
    await fault.mend()
    const during = traffic.take()
    const runMs = (): number => performance.now() - traffic.stalledMs
    const wellMs = runMs()
    await fleet.reach(fault)
    await fleet.useStores()
    const recoveryMs = runMs() - wellMs
    await sleep(AFTER_MS)
    await traffic.stop()
    const { allOpened } = fleet
    const lost = await fleet.staleRows(rows, options)
    return { during, after: traffic.take(), recoveryMs, lost, errors: [...fleet.errors], allOpened }
  } finally {
    await traffic.stop().catch(() => undefined)
  }
}

/** The caches of a trial, each as if it were a process. */
class Fleet implements AsyncDisposable {
  readonly caches: Cache[] = []
  readonly errors = new Set<string>()
  /** What earlier trials have left on the servers is nobody's. */
  readonly #name = `trial-${randomUUID()}`
  readonly #stores: Store[] = []
  readonly #open = new Set<Cache>()
  #opened = new Set<Cache>()

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
    cache.on('storeState', ({ state }) => {
      if (state === 'open') this.#opened.add(cache)
      this.#open[state === 'open' ? 'add' : 'delete'](cache)
    })
    this.caches.push(cache)
    return cache
  }

  /** From now on, `allOpened` tells whose breaker is or was open. */
  countOpened(): void {
    this.#opened = new Set(this.#open)
  }

  get allOpened(): boolean {
    return this.caches.every((cache) => this.#opened.has(cache))
  }

  /** Waits until each cache has had a value from its store, by the traffic that runs. */
  async useStores(): Promise<void> {
    await Promise.all(this.caches.map(usesStore))
  }

  /** Waits until each store writes where it has to: its client may have yet to find that server. */
  async reach({ primary }: Fault): Promise<void> {
    if (primary === undefined) return
    const server = await primary()
    await Promise.all(this.#stores.map((store) => writesAt(store, server)))
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

function writesAt(store: Store, server: Pick<RedisServer, 'command'>): Promise<void> {
  const key = `reached-${randomUUID()}`
  const isThere = async (): Promise<boolean> => {
    await store.invalidate([key], REACH_MS, false)
    return (await server.command('EXISTS', key)) === 1
  }
  return until('a store writes at the primary', isThere, RECOVERY_MS_MAX)
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
