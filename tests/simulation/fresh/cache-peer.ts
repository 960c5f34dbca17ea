/** The cache of one process, its feed and its pool: what is read and written through them is recorded with its times. */
import type { Cache, Position } from 'millpond'
import type { CachedPool, PostgresFeed, ReadMode } from 'millpond/postgres'
import pg from 'pg'
import type { CacheProcessOptions, Claim, ReadWish } from './cache-process.ts'
import { type Mode, nowMs, type Read, type Row, versionAt, type Write } from './history.ts'
import { LossyBus } from './lossy-bus.ts'
import { BETWEEN, BY_KEY, UPDATE } from './numbers.ts'
import { Workload, type WorkloadOptions } from './workload.ts'

/** What a write's answer says. */
type Written = Row & { readonly server: string }

/** How many rows a read of a range asks for. */
const SPAN = 3
const CLAIMS_MS = 5

/** The library as it is, or a changed copy of it. */
interface Library {
  readonly createCache: typeof import('millpond').createCache
  readonly postgres: typeof import('millpond/postgres')
}

async function libraryAt(folder: string): Promise<Library> {
  const { createCache } = (await import(`${folder}index.ts`)) as typeof import('millpond')
  const postgres = (await import(`${folder}feeds/postgres/index.ts`)) as typeof import('millpond/postgres')
  return { createCache, postgres }
}

async function busAt(folder: string, url: string): Promise<LossyBus> {
  const { valkeyBus } = (await import(`${folder}stores/valkey/index.ts`)) as typeof import('millpond/valkey')
  return new LossyBus(valkeyBus(url))
}

export class CachePeer {
  readonly reads: Read[] = []
  readonly writes: Write[] = []
  hits = 0
  /** Claims that others have handed over. */
  readonly given: Claim[] = []
  readonly feed: PostgresFeed
  readonly bus: LossyBus | undefined
  readonly options: CacheProcessOptions
  readonly #postgres: Library['postgres']
  readonly #raw: pg.Pool
  readonly #pool: pg.Pool & CachedPool
  readonly #cache: Cache
  readonly #claims: Claim[] = []
  #statements = 0
  #held: { readonly load: Promise<unknown>; release(): void } | undefined
  #workload: Workload | undefined

  static async open(options: CacheProcessOptions): Promise<CachePeer> {
    const { library, relay } = options
    const bus = relay === undefined ? undefined : await busAt(library, relay)
    return new CachePeer(options, await libraryAt(library), bus)
  }

  constructor(options: CacheProcessOptions, { createCache, postgres }: Library, bus: LossyBus | undefined) {
    const { feedPort, poolPort, boundMs, stallTimeoutMs, isAsync, slot } = options
    this.options = options
    this.#postgres = postgres
    this.bus = bus
    this.feed = postgres.postgresFeed({
      connectionString: urlOf(feedPort),
      client: pg as never,
      tables: ['numbers'],
      maxStaleness: boundMs,
      stallTimeout: stallTimeoutMs,
      ...(isAsync && { lsn: 'insert' as const }),
      ...(slot !== undefined && { slot: { name: slot } }),
      ...(bus && { relay: { bus } }),
    })
    this.#cache = createCache({ feed: this.feed })
    this.#raw = new pg.Pool({
      connectionString: urlOf(poolPort),
      max: 8,
      connectionTimeoutMillis: 2000,
      ...(isAsync && { options: '-c synchronous_commit=off' }),
    })
    this.#raw.on('error', () => {})
    const count = (): void => void this.#statements++
    this.#raw.on('acquire', count).on('release', count)
    this.#raw.on('connect', (client) => void client.on('error', () => {}))
    this.#pool = postgres.cachePool(this.#raw, { cache: this.#cache, feed: this.feed })
  }

  /** Reads one row; `undefined` when the database could not be asked. */
  async read({ key, mode, via = 'pool', claim }: ReadWish): Promise<Read | undefined> {
    const how: ReadMode = mode === 'atLeast' ? { atLeast: claim!.token } : mode
    return (
      await this.#recorded(mode, via, claim, async () =>
        via === 'pool' ? await this.#byKey(key, how) : [{ key, version: await this.#byLoader(key, how) }],
      )
    )[0]
  }

  /** Reads a few rows by one statement. */
  async readRange(key: number, mode: 'bounded' | 'strict'): Promise<void> {
    const config = { text: BETWEEN, values: [key, key + SPAN - 1], read: mode }
    await this.#recorded(mode, 'pool', undefined, async () =>
      (await this.#pool.query(config)).rows.map(({ id, n }) => ({ key: id as number, version: Number(n) })),
    )
  }

  /** Writes one row by a statement of its own. The claim is missing when no answer came. */
  async write(key: number): Promise<Claim | undefined> {
    const [claim] = await this.transaction([key], async (_, write) => {
      await write()
      return true
    })
    return claim
  }

  /** Writes one row without a claim: by the pool, as most applications do. */
  async writeByPool(key: number): Promise<void> {
    await this.#sent([key], async (began) => {
      began()
      const { rows } = await this.#pool.query(UPDATE, [key, this.#version()])
      return [{ key, version: Number(rows[0].n), server: rows[0].server }]
    })
  }

  /**
   * Writes rows on a connection of the cached pool, then takes the position there.
   *
   * @param run sends the writes, and what is to be sent around them. Resolves with whether they are committed
   */
  async transaction(
    keys: readonly number[],
    run: (client: pg.PoolClient, write: () => Promise<void>) => Promise<boolean>,
  ): Promise<Claim[]> {
    const client = await this.#pool.connect().catch(() => undefined)
    if (client === undefined) return []
    let failure: Error | undefined
    const written: Written[] = []
    try {
      const rows = await this.#sent(keys, async (began) => {
        const isCommitted = await run(client, async () => {
          began()
          for (const key of keys) {
            const { rows } = await client.query(UPDATE, [key, this.#version()])
            written.push({ key, version: Number(rows[0].n), server: rows[0].server })
          }
        })
        return isCommitted ? written : []
      })
      if (rows.length === 0) return []
      const token = await this.#postgres.positionOf(client as never)
      const claims = rows.map(({ key, version }) => ({ key, version, token }))
      this.#claims.push(...claims)
      return claims
    } catch (error) {
      failure = error as Error
      return []
    } finally {
      client.release(failure)
    }
  }

  async hold(key: number): Promise<void> {
    let release!: () => void
    let hasRead!: () => void
    const released = new Promise<void>((resolve) => (release = resolve))
    const read = new Promise<void>((resolve) => (hasRead = resolve))
    const load = this.#recorded('bounded', 'loader', undefined, async () => {
      const version = await this.#byLoader(key, 'bounded', async () => {
        hasRead()
        await released
      })
      return [{ key, version }]
    })
    this.#held = { load, release }
    await read
  }

  async release(): Promise<void> {
    this.#held?.release()
    await this.#held?.load
  }

  async caughtUp(token: Position): Promise<boolean> {
    const hasReached = await this.feed.reached(token, 20_000)
    await this.feed.settled(20_000)
    return hasReached && this.feed.status().unsettled === 0
  }

  start(options: WorkloadOptions): void {
    this.#workload = new Workload(this, options)
  }

  async stop(): Promise<void> {
    await this.#workload?.stop()
    this.#workload = undefined
  }

  async takeClaims(): Promise<Claim[]> {
    if (this.#claims.length === 0) await new Promise((resolve) => setTimeout(resolve, CLAIMS_MS))
    return this.#claims.splice(0)
  }

  async rest(keys: readonly number[]): Promise<void> {
    const { readsStandby } = this.options
    for (const key of [...keys, ...keys]) {
      await this.#recorded('rest', 'pool', undefined, () => this.#byKey(key, 'bounded'))
      if (readsStandby) continue
      const version = (): Promise<Row[]> => this.#byLoader(key, 'bounded').then((version) => [{ key, version }])
      await this.#recorded('rest', 'loader', undefined, version)
    }
  }

  async close(): Promise<void> {
    await this.#cache.close()
    await this.#raw.end()
    await this.bus?.close()
  }

  async #byKey(key: number, read: ReadMode): Promise<Row[]> {
    const config = { text: BY_KEY, values: [key], read }
    const { rows } = await this.#pool.query(config)
    return rows.map(({ n }) => ({ key, version: Number(n) }))
  }

  async #byLoader(key: number, read: ReadMode, between?: () => Promise<void>): Promise<number> {
    const atLeast = read === 'strict' ? await this.feed.now() : read === 'bounded' ? undefined : read.atLeast
    const load = async (): Promise<number> => {
      const { rows } = await this.#raw.query(BY_KEY, [key])
      await between?.()
      return Number(rows[0].n)
    }
    const options = { tags: [`numbers:${key}`], ...(atLeast !== undefined && { atLeast }) }
    return await this.#cache.getOrSet(`row ${key}`, load, options)
  }

  /** Records a read. One that failed, because the database was away, is none. */
  async #recorded(mode: Mode, via: Read['via'], claim: Claim | undefined, read: () => Promise<Row[]>): Promise<Read[]> {
    const { name, boundMs, readsStandby } = this.options
    const statements = this.#statements
    const beganMs = nowMs()
    const rows = await read().catch(() => [])
    const endedMs = nowMs()
    const isHit = this.#statements === statements
    if (isHit) this.hits += rows.length
    const more = {
      ...(claim !== undefined && { least: claim.version }),
      ...(readsStandby && { fromStandby: true }),
    }
    const reads = rows.map((row): Read => ({ by: name, mode, via, ...row, beganMs, endedMs, isHit, boundMs, ...more }))
    this.reads.push(...reads)
    return reads
  }

  /** Records what was sent to be written. What failed after that may have been done. */
  async #sent(keys: readonly number[], send: (began: () => void) => Promise<Written[]>): Promise<Written[]> {
    const { name } = this.options
    let beganMs: number | undefined
    const began = (): void => void (beganMs ??= nowMs())
    const record = (rows: readonly Pick<Write, 'key' | 'version' | 'server'>[], ackedMs?: number): void => {
      for (const row of rows) this.writes.push({ ...row, by: name, beganMs: beganMs!, ackedMs })
    }
    try {
      const rows = await send(began)
      record(rows, nowMs())
      return rows
    } catch (error) {
      if (beganMs !== undefined) record(keys.map((key) => ({ key, version: undefined })))
      throw error
    }
  }

  #version(): number {
    return versionAt(nowMs(), this.options.writer)
  }
}

function urlOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}
