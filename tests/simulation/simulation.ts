/**
 * One schedule: several processes with caches on one store and one bus, a database, and writers and readers whose every
 * step is put in order by a seed, under faults. Throws when the judge finds a read that is older than promised.
 */
import { type Cache, createCache, type LoadContext, type Store, StoreError } from 'millpond'
import { MemoryStore, manualClock } from 'millpond/testing'
import { seededRandom } from '../../packages/millpond/src/core/random.ts'
import { Judge } from './judge.ts'
import { SimulatedBus, type SimulatedEnd, STORE_TIMEOUT_MS, StoreLink } from './links.ts'
import { Scheduler } from './scheduler.ts'

/** What a mutant changes about the world, to prove that the judge would see it. */
export interface Mutation {
  readonly store?: (store: Store) => Store
  /** A store of another kind, shared with earlier schedules; its servers count time for themselves. */
  readonly served?: readonly Store[]
  readonly bus?: (end: SimulatedEnd) => void
}

let schedules = 0

const KEYS = ['a', 'b', 'c'] as const
const TAG = 'all'
const PROCESSES = 3
/** The cache tells again what was acknowledged within 10 s. */
const LAG_MS_MAX = 9000

interface Process {
  readonly id: number
  readonly cache: Cache
  readonly link: StoreLink
  readonly end: SimulatedEnd
  /** Its store knows everything that it should. */
  isTold: boolean
}

/** Plays the schedule of a seed. @throws Error with the history, when something is stale */
export async function simulate(seed: number, mutation: Mutation = {}): Promise<void> {
  const world = new Simulation(seed, mutation)
  try {
    await world.run()
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n${world.judge.lines.slice(-60).join('\n')}`, {
      cause: error,
    })
  } finally {
    await world.close()
  }
}

class Simulation {
  readonly clock = manualClock()
  readonly scheduler: Scheduler
  readonly judge: Judge
  readonly #memory: MemoryStore | undefined
  #copy: { readonly restore: () => void; readonly atMs: number } | undefined
  readonly #bus: SimulatedBus
  readonly #processes: Process[] = []
  readonly #rows = new Map<string, number>()
  /** Writers that put values into the cache take turns, as the rows' locks would make them. */
  readonly #locks = new Map<string, Promise<unknown>>()
  readonly #putsValues: boolean
  #faultsLeft: number
  readonly #sources: { get(id: string): Promise<number | undefined>; set(id: string, value: number): Promise<void> }[] =
    []

  constructor(seed: number, mutation: Mutation) {
    this.scheduler = new Scheduler(this.clock, seededRandom(seed))
    const { scheduler } = this
    this.#putsValues = scheduler.chance(0.4)
    this.#faultsLeft = scheduler.chance(0.6) ? 1 + scheduler.below(15) : 0
    const memory = mutation.served === undefined ? new MemoryStore(this.clock) : undefined
    this.#memory = memory
    const storeOf = (id: number): Store => {
      const store = memory ?? mutation.served![id]!
      return mutation.store?.(store) ?? store
    }
    this.#bus = new SimulatedBus(scheduler)
    this.judge = new Judge(scheduler, (by, of) => this.#bus.ends[by]!.heard[of] ?? 0)
    const near = scheduler.pick([{}, { memory: false as const }, { memory: { maxEntries: 2 } }])
    // Servers count a fence in real time, which stands nearly still here: a short one would not end when it should.
    const fence = memory === undefined ? 10_000 : scheduler.pick([400, 10_000])
    const name = memory === undefined ? `shop-${process.pid}-${++schedules}` : 'shop'
    for (let id = 0; id < PROCESSES; id++) {
      const end = this.#bus.connect()
      mutation.bus?.(end)
      const link = new StoreLink(scheduler)
      const cache = createCache({
        name,
        clock: this.clock,
        random: scheduler.random,
        store: link.wrap(storeOf(id)),
        storeTimeout: STORE_TIMEOUT_MS,
        fence,
        bus: end,
        ...near,
      })
      const process: Process = { id, cache, link, end, isTold: true }
      cache.on('storeState', ({ state }) => {
        process.isTold = state === 'closed'
        if (process.isTold) this.judge.madeUp(id, end.sent)
      })
      cache.on('storeError', ({ operation }) => this.judge.note(`process ${id}: store failed at ${operation}`))
      this.#processes.push(process)
      this.#sources.push(this.#sourceOf(process))
    }
  }

  async run(): Promise<void> {
    const { scheduler } = this
    const actions = Array.from({ length: 60 }, () => () => this.#act(scheduler.pick(this.#processes)))
    const calm = (): void => {
      for (const process of this.#processes) this.#heal(process)
    }
    await scheduler.play(actions, () => this.#fault(), calm)
    await this.#rest()
  }

  async close(): Promise<void> {
    for (const { link, end } of this.#processes) {
      link.losesAnswers = link.isDown = false
      end.isCut = false
    }
    await Promise.all(this.#processes.map(({ cache }) => cache.close({ timeout: 0 })))
  }

  /** All faults end and everything arrives: then every tier agrees with the database. */
  async #rest(): Promise<void> {
    const { scheduler, clock } = this
    // Small steps: each call has to be answered before its timeout.
    for (let round = 0; round < 10 || this.#processes.some(({ isTold }) => !isTold); round++) {
      if (round > 1000) throw new Error('at rest a store is still not in use again')
      await scheduler.rest()
      await clock.advance(10)
    }
    this.judge.note('at rest')
    for (const key of KEYS) {
      for (const { id, cache } of this.#processes) {
        const reading = this.#read(cache, key, id, false)
        const version = await this.#finished(reading)
        const row = this.#version(key)
        if (version !== row)
          throw new Error(`at rest process ${id} has version ${version} of ${key}, the row is ${row}`)
      }
    }
  }

  async #finished<T>(reading: Promise<T>): Promise<T> {
    let isDone = false
    const done = reading.finally(() => {
      isDone = true
    })
    done.catch(() => {})
    while (!isDone) {
      await this.scheduler.rest()
      await this.scheduler.turn()
    }
    return done
  }

  async #act(process: Process): Promise<void> {
    const { scheduler } = this
    if (this.#memory !== undefined && scheduler.chance(0.15))
      this.#copy = { restore: this.#memory.copy(), atMs: this.clock.monotonic() }
    if (scheduler.chance(0.6)) await this.#readSomehow(process)
    else if (this.#putsValues) await this.#put(process)
    else await this.#invalidate(process)
  }

  async #readSomehow({ id, cache }: Process): Promise<void> {
    const { scheduler, judge } = this
    const key = scheduler.pick(KEYS)
    const expected = judge.expect(id, key)
    switch (scheduler.below(6)) {
      case 0:
        return judge.check(expected, await cache.get<number>(key), 'get')
      case 1:
        return judge.check(expected, cache.getSync<number>(key), 'getSync')
      case 2: {
        const all = KEYS.map((each) => judge.expect(id, each))
        const found = await cache.getMany<number>(KEYS)
        for (const each of all) judge.check(each, found.get(each.key), 'getMany')
        return
      }
      case 3: {
        const all = KEYS.map((each) => judge.expect(id, each))
        const load = async (keys: readonly string[]): Promise<Map<string, number>> => {
          const read = new Map(keys.map((each) => [each, this.#version(each)]))
          await scheduler.pause()
          return read
        }
        const found = await cache.getOrSetMany<number>(KEYS, load, { tags: [TAG] })
        for (const each of all) judge.check(each, found.get(each.key), 'getOrSetMany')
        return
      }
      case 4:
        return judge.check(expected, await this.#read(cache, key, id, scheduler.chance(0.5)), 'getOrSet')
      default:
        return judge.check(this.judge.expect(id, `rows:${key}`), await this.#sources[id]!.get(key), 'source.get')
    }
  }

  #read(cache: Cache, key: string, id: number, late: boolean): Promise<number> {
    const load = async (ctx: LoadContext<number>): Promise<number> => {
      await this.scheduler.pause()
      const version = this.#version(key)
      this.judge.note(`process ${id} loads ${key}: ${version}`)
      await this.scheduler.pause()
      if (late) ctx.set({ tags: [TAG] })
      return version
    }
    return cache.getOrSet(key, load, late ? {} : { tags: [TAG] })
  }

  async #invalidate(process: Process): Promise<void> {
    const { scheduler } = this
    const { cache, id } = process
    const key = scheduler.pick(KEYS)
    let version = 0
    const write = (): void => void (version = this.#write(id, key))
    switch (scheduler.below(8)) {
      case 0:
        return this.#all(process, () => cache.deleteByTag(TAG))
      case 1:
        return this.#all(process, () => cache.clear())
      case 2:
        return this.#all(process, () => cache.expireByTag(TAG))
      case 3:
        await cache.mutate({ keys: [key] }, this.#transaction(write))
        break
      case 4:
        await cache.mutate({ tags: [TAG] }, this.#transaction(write))
        break
      case 5: {
        const before = this.#version(`rows:${key}`)
        await this.#sources[id]!.set(key, before)
        return
      }
      case 6:
        write()
        await scheduler.pause()
        await cache.expire(key)
        break
      default:
        write()
        await scheduler.pause()
        await cache.delete(key)
    }
    this.#done(process, key, version)
  }

  /** Every row changes, then one call tells the cache. */
  async #all(process: Process, tell: () => Promise<void>): Promise<void> {
    const versions = KEYS.map((key) => [key, this.#write(process.id, key)] as const)
    await this.scheduler.pause()
    await tell()
    for (const [key, version] of versions) this.#done(process, key, version)
  }

  #transaction(write: () => void): () => Promise<void> {
    return async () => {
      await this.scheduler.pause()
      write()
      await this.scheduler.pause()
    }
  }

  /** Writes that put the new value into the cache, one at a time for each row. */
  async #put(process: Process): Promise<void> {
    const { scheduler } = this
    const { cache, id } = process
    const key = scheduler.pick(KEYS)
    await this.#locked(key, async () => {
      let version = this.#version(key)
      const how = scheduler.below(3)
      if (how === 0) {
        version = this.#write(id, key)
        await scheduler.pause()
        await cache.set(key, version, { tags: [TAG] })
      } else if (how === 1) {
        await this.#update(cache, key, () => (version = this.#write(id, key)))
      } else {
        version = this.#write(id, key)
        await scheduler.pause()
        await cache.delete(key)
      }
      this.#done(process, key, version)
      // Others are let in when they can know of it: what they put would otherwise be older than what they wrote.
      while (!process.isTold) await scheduler.pause()
    })
  }

  /** An update that gives up may have written: the key is deleted then, as an application would. */
  async #update(cache: Cache, key: string, write: () => number): Promise<void> {
    try {
      await cache.update(key, write, { tags: [TAG] })
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      await cache.delete(key)
    }
  }

  async #locked(key: string, run: () => Promise<void>): Promise<void> {
    const before = this.#locks.get(key)
    const mine = (async () => {
      await before
      await run()
    })()
    this.#locks.set(
      key,
      mine.catch(() => {}),
    )
    await mine
  }

  #sourceOf({ id, cache }: Process): {
    get(id: string): Promise<number | undefined>
    set(id: string, value: number): Promise<void>
  } {
    // biome-ignore format: one line
    const key = (row: string): string => `rows:${row}`
    const source = cache.define<string, number>({
      name: 'rows',
      load: async (row) => {
        await this.scheduler.pause()
        const version = this.#version(key(row))
        await this.scheduler.pause()
        return version
      },
      write: async (row, value) => {
        await this.scheduler.pause()
        this.#rows.set(key(row), value)
        this.judge.note(`process ${id} writes ${key(row)}: ${value}`)
        await this.scheduler.pause()
      },
    })
    const set = async (row: string): Promise<void> => {
      await this.#locked(key(row), async () => {
        const version = this.#version(key(row)) + 1
        await source.set(row, version)
        this.#done(this.#processes[id]!, key(row), version)
      })
    }
    return { get: (row) => source.get(row), set }
  }

  #done(process: Process, key: string, version: number): void {
    const { isTold, end, id } = process
    this.judge.done(id, key, version, isTold ? end.sent : Number.POSITIVE_INFINITY)
  }

  #version(key: string): number {
    return this.#rows.get(key) ?? 1
  }

  #write(id: number, key: string): number {
    const version = this.#version(key) + 1
    this.#rows.set(key, version)
    this.judge.note(`process ${id} writes ${key}: ${version}`)
    return version
  }

  #fault(): void {
    const { scheduler } = this
    const process = scheduler.pick(this.#processes)
    if (this.#faultsLeft-- <= 0) {
      this.#heal(process)
      return
    }
    const { link, end, id } = process
    switch (scheduler.below(6)) {
      case 4:
        this.#loseMoments()
        return
      case 5:
        this.judge.note('time passes')
        this.clock.advanceNow(200 + scheduler.below(600))
        return
      case 0:
        link.isDown = !link.isDown
        this.judge.note(`process ${id}: connection ${link.isDown ? 'down' : 'up'}`)
        return
      case 1:
        link.losesAnswers = !link.losesAnswers
        this.judge.note(`process ${id}: answers ${link.losesAnswers ? 'lost' : 'arrive'}`)
        return
      case 2:
        if (end.isCut) end.heal()
        else end.isCut = true
        this.judge.note(`process ${id}: bus ${end.isCut ? 'cut' : 'healed'}`)
        return
      default:
        this.#heal(process)
    }
  }

  /** As in a failover to a replica that lags: the store goes back to its last copy. */
  #loseMoments(): void {
    if (this.#copy === undefined || this.clock.monotonic() > this.#copy.atMs + LAG_MS_MAX) return
    this.judge.lost()
    this.#copy.restore()
  }

  #heal({ link, end }: Process): void {
    link.isDown = link.losesAnswers = false
    end.heal()
  }
}
