/**
 * Seeded faults: two processes with caches over three providers, each link between them failing for itself, and
 * providers that lose what they were told last. `MILLPOND_SEED=17` replays one run, `MILLPOND_SCHEDULES=2000` plays that many.
 */
import { describe, expect, test, vi } from 'vitest'
import { type Random, seededRandom } from '../../core/random.ts'
import type { Store } from '../../core/store.ts'
import { type Cache, createCache } from '../../index.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import { MemoryStore } from '../../testing/memory-store.ts'
import { Member } from '../member.ts'
import { failoverStore } from './index.ts'

const { MILLPOND_SEED: only, MILLPOND_SCHEDULES: count = '150' } = process.env
const KEYS = ['a', 'b', 'c', 'd']
const FENCE_MS = 1500
const TAGS = ['red', 'blue']

type Fault = 'none' | 'reject' | 'hang' | 'slow' | 'frozen' | 'lost answer'
const FAULTS: readonly Fault[] = ['none', 'none', 'none', 'none', 'reject', 'hang', 'slow', 'frozen', 'lost answer']

class World {
  readonly clock: ManualClock = manualClock()
  readonly random: Random
  readonly rows = new Map(KEYS.map((key) => [key, 1]))
  readonly providers: MemoryStore[]
  /** By process and provider. */
  readonly faults: Fault[][] = [[], []]
  readonly caches: Cache[]
  readonly asked: Promise<unknown>[] = []
  slowest = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.providers = [0, 1, 2].map(() => new MemoryStore(this.clock))
    this.caches = [0, 1].map((process) =>
      this.cacheOf(this.providers.map((store, at) => this.link(store, process, at))),
    )
  }

  cacheOf(providers: Store[]): Cache {
    const store = failoverStore(providers, { clock: this.clock })
    return createCache({ name: 'shop', ttl: '1h', memory: false, store, clock: this.clock, fence: FENCE_MS })
  }

  link(store: Store, process: number, at: number): Store {
    const faultNow = (): Fault => this.faults[process]![at] ?? 'none'
    const before = (): void | Promise<void> => {
      if (faultNow() === 'reject') throw new Error('refused')
      if (faultNow() === 'hang') return new Promise(() => {})
      if (faultNow() === 'frozen') return this.sleep(this.random() * 4 * FENCE_MS) // it arrives when nobody waits for it
      return faultNow() === 'slow' ? this.sleep(this.random() * 30) : undefined
    }
    return faultyStore(store, before, () => (faultNow() === 'lost answer' ? new Promise(() => {}) : undefined))
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve))
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!
  }

  /** A row as it is at the beginning of the load, brought late. */
  async load(key: string): Promise<number> {
    const row = this.rows.get(key)!
    await this.sleep(this.random() < 0.3 ? this.random() * 400 : 1)
    return row
  }

  read(cache: Cache, key: string): Promise<number> {
    return cache.getOrSet(key, () => this.load(key), { tags: [tagOf(key)] })
  }

  step(): void {
    const cache = this.pick(this.caches)
    const key = this.pick(KEYS)
    const dice = this.random()
    if (dice < 0.62) {
      const startedAtMs = this.clock.monotonic()
      this.asked.push(this.read(cache, key).then(() => this.note(startedAtMs)))
    } else if (dice < 0.74) this.asked.push(this.change(cache, [key], () => cache.delete(key)))
    else if (dice < 0.78) {
      const tag = this.pick(TAGS)
      this.asked.push(this.change(cache, KEYS.filter((one) => tagOf(one) === tag), () => cache.deleteByTag(tag))) // biome-ignore format: one line
    } else if (dice < 0.81) this.asked.push(this.mutate(cache, key))
    else if (dice < 0.98) this.faults[this.pick([0, 1])]![this.pick([0, 1, 2])] = this.pick(FAULTS)
    else this.forget(this.pick(this.providers))
  }

  note(startedAtMs: number): void {
    this.slowest = Math.max(this.slowest, this.clock.monotonic() - startedAtMs)
  }

  async change(_: Cache, keys: readonly string[], invalidate: () => Promise<unknown>): Promise<void> {
    for (const key of keys) this.rows.set(key, this.rows.get(key)! + 1)
    await invalidate()
  }

  async mutate(cache: Cache, key: string): Promise<void> {
    await cache.mutate({ keys: [key] }, async () => {
      await this.sleep(this.random() * 50)
      this.rows.set(key, this.rows.get(key)! + 1)
    })
  }

  /** A replica is promoted that lacks what came in the last moments. */
  forget(provider: MemoryStore): void {
    const restore = provider.copy()
    this.clock.after(this.random() * 2000, restore)
  }
}

function tagOf(key: string): string {
  return key < 'c' ? 'red' : 'blue'
}

/** Plays a seed; returns what each provider holds in the end that differs from the database. */
async function play(seed: number): Promise<string[]> {
  const world = new World(seed)
  for (let step = 0; step < 150; step++) {
    world.step()
    if (world.random() < 0.6) await world.clock.advance(world.random() * 60)
    if (world.random() < 0.05) await world.clock.advance(world.random() < 0.5 ? 1500 : 12_000)
  }
  for (const faults of world.faults) faults.length = 0
  await world.clock.advance(10_000)
  await Promise.all(world.asked) // nobody waits for ever, and no store's failure reaches a caller
  expect(world.slowest, 'a read takes its load and once storeTimeout').toBeLessThan(400 + 60 + 60)
  const wrong: string[] = []
  for (const [at, provider] of world.providers.entries()) {
    const reader = world.cacheOf([provider])
    for (const key of KEYS) {
      const [found] = await Promise.all([reader.get<number>(key), world.clock.advance(50)])
      if (found !== undefined && found !== world.rows.get(key)) wrong.push(`provider ${at}: ${key} is ${found}, not ${world.rows.get(key)}`) // biome-ignore format: one line
    }
  }
  for (const [at, cache] of world.caches.entries()) {
    for (const key of KEYS) {
      const [value] = await Promise.all([world.read(cache, key), world.clock.advance(500)])
      if (value !== world.rows.get(key)) wrong.push(`process ${at}: ${key} is ${value}, not ${world.rows.get(key)}`)
    }
  }
  await Promise.all([...world.caches.map((cache) => cache.close()), world.clock.advance(1000)])
  return wrong
}

describe('once all links are well, no provider has anything old', () => {
  const first = Number(only ?? 1)
  const last = only === undefined ? Number(count) : first
  for (let from = first; from <= last; from += 50) {
    const to = Math.min(last, from + 49)
    test(`seeds ${from} to ${to}`, { timeout: 60_000 }, async () => {
      for (let seed = from; seed <= to; seed++) expect(await play(seed), `seed ${seed}`).toEqual([])
    })
  }
})

describe('the judge has teeth: it catches', () => {
  async function caught(): Promise<boolean> {
    for (let seed = 1; seed <= 300; seed++) if ((await play(seed)).length > 0) return true
    return false
  }

  test('a member that forgets what it missed', { timeout: 60_000 }, async () => {
    const { invalidate } = Member.prototype
    vi.spyOn(Member.prototype, 'invalidate').mockImplementation(function (this: Member, keys, fenceMs, held) {
      return this.isUp ? invalidate.call(this, keys, fenceMs, held) : Promise.resolve(undefined)
    })
    expect(await caught()).toBe(true)
    vi.restoreAllMocks()
  })

  test('a member that forgets the tags that it missed', { timeout: 60_000 }, async () => {
    const { bump } = Member.prototype
    vi.spyOn(Member.prototype, 'bump').mockImplementation(function (this: Member, tags, heldMs) {
      return this.isUp ? bump.call(this, tags, heldMs) : Promise.resolve(false)
    })
    expect(await caught()).toBe(true)
    vi.restoreAllMocks()
  })
})
