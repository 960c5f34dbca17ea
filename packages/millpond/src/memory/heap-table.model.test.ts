import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { HeapTable, type HeapTableOptions } from './heap-table.ts'
import { lru, s3Fifo, sieve, tinyLfu } from './index.ts'
import type { RemovalReason } from './policy.ts'

/**
 * The table beside a naive model. Which entry is evicted is the policy's affair: the model learns it from the
 * listener. All else it knows by itself: what is there, what it weighs, when it ends, and why it left.
 */
class Model {
  readonly #table: HeapTable<object>
  readonly #clock = manualClock()
  readonly #there = new Map<
    string,
    { value: object; weight: number; endsAtMs: number; idleMs: number; usedAtMs: number }
  >()
  readonly #told = new Set<object>()
  readonly #expected = new Map<object, RemovalReason[]>()
  readonly #errors: unknown[] = []
  readonly #maxEntries: number
  readonly #maxWeight: number

  constructor(options: HeapTableOptions<object>) {
    this.#maxEntries = options.maxEntries ?? Number.POSITIVE_INFINITY
    this.#maxWeight = Number(options.maxWeight ?? Number.POSITIVE_INFINITY)
    const onRemove = (key: string, value: object, reason: RemovalReason) => this.#left(key, value, reason)
    this.#table = new HeapTable({
      ...options,
      clock: this.#clock,
      onRemove,
      onError: (error) => void this.#errors.push(error),
    })
  }

  #left(key: string, value: object, reason: RemovalReason): void {
    expect(this.#told.has(value), 'told once').toBe(false)
    this.#told.add(value)
    const reasons = this.#expected.get(value)
    if (reasons) {
      expect(reasons).toContain(reason)
      this.#expected.delete(value)
      return
    }
    const entry = this.#there.get(key)
    expect(entry?.value, `${key} left with its own value`).toBe(value)
    if (reason === 'expire') expect(this.#isOver(entry!)).toBe(true)
    else expect(reason).toBe('evict')
    this.#there.delete(key)
  }

  #isOver(entry: { endsAtMs: number; idleMs: number; usedAtMs: number }): boolean {
    return this.#clock.monotonic() >= Math.min(entry.endsAtMs, entry.usedAtMs + entry.idleMs)
  }

  #live(key: string): { value: object; usedAtMs: number } | undefined {
    const entry = this.#there.get(key)
    return entry && !this.#isOver(entry) ? entry : undefined
  }

  /** The model lets go of a key for a known reason before the table does; or for age, if the table sees that first. */
  #drop(key: string, reason: RemovalReason): void {
    const entry = this.#there.get(key)
    if (!entry) return
    this.#expected.set(entry.value, this.#isOver(entry) ? ['expire'] : [reason])
    this.#there.delete(key)
  }

  set(key: string, weight: number, ttlMs: number, idleMs: number): void {
    const value = { key }
    const kept = weight <= this.#maxWeight
    const old = this.#there.get(key)
    this.#drop(key, 'replace')
    // The old value may also be the one that has to leave for the new one's sake.
    if (old && !this.#isOver({ ...old })) this.#expected.set(old.value, ['replace'])
    if (kept)
      this.#there.set(key, {
        value,
        weight,
        endsAtMs: this.#clock.monotonic() + ttlMs,
        idleMs,
        usedAtMs: this.#clock.monotonic(),
      })
    expect(this.#table.set(key, value, { weight, ttlMs, idleMs })).toBe(kept)
    this.check()
    expect(this.#table.has(key)).toBe(kept && ttlMs > 0 && idleMs > 0)
  }

  get(key: string): void {
    const entry = this.#live(key)
    expect(this.#table.peek(key)).toBe(entry?.value)
    expect(this.#table.get(key)).toBe(entry?.value)
    if (entry) entry.usedAtMs = this.#clock.monotonic()
  }

  delete(key: string): void {
    const was = this.#live(key) !== undefined
    this.#drop(key, 'delete')
    expect(this.#table.delete(key)).toBe(was)
  }

  clear(): void {
    for (const [key, { value }] of this.#there) {
      this.#expected.set(value, ['invalidate'])
      this.#there.delete(key)
    }
    this.#table.clear('invalidate')
    expect(this.#table.size).toBe(0)
  }

  wait(ms: number): void {
    this.#clock.advanceNow(ms)
  }

  check(): void {
    if (this.#errors.length > 0) throw this.#errors[0]
    expect([...this.#expected.values()], 'left, and nobody was told').toEqual([])
    expect(this.#table.size).toBeLessThanOrEqual(this.#maxEntries)
    expect(this.#table.weight).toBeLessThanOrEqual(this.#maxWeight)
    expect(this.#table.size).toBe(this.#there.size)
  }

  /** Everything: content, weight, and after enough time without a call, nothing that should have ended. */
  checkAll(): void {
    this.check()
    const live = [...this.#there].filter(([key]) => this.#live(key)).map(([key, { value }]) => [key, value])
    expect(new Map(this.#table.entries())).toEqual(new Map(live as [string, object][]))
    expect(
      this.#table
        .hottest(1e9)
        .map(([key]) => key)
        .sort(),
    ).toEqual([...this.#table.keys()].sort())
    expect(this.#table.coldest(1e9)).toEqual(this.#table.hottest(1e9).reverse())
    if (this.#maxWeight < Number.POSITIVE_INFINITY) {
      expect(this.#table.weight).toBe([...this.#there.values()].reduce((sum, { weight }) => sum + weight, 0))
    }
    this.wait(2 ** 41)
    this.check()
    expect([...this.#there.values()].filter((entry) => this.#isOver(entry))).toEqual([])
  }
}

const key = fc.integer({ min: 0, max: 30 }).map((id) => `${id}`)
const life = fc.constantFrom(Number.POSITIVE_INFINITY, 0, 1, 63, 64, 65, 1000, 5000, 300_000, 2e7, 2 ** 33, 2 ** 38)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), key, fc.integer({ min: 1, max: 60 }), life, life) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('get' as const), key) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('wait' as const), fc.constantFrom(1, 10, 64, 1000, 4096, 270_000, 2e7, 2e9)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const)) },
)

describe.each([tinyLfu, s3Fifo, sieve, lru])('a table with $name', (policy) => {
  test.each([
    { maxEntries: 1 },
    { maxEntries: 7 },
    { maxEntries: 100 },
    { maxWeight: 59 },
    { maxWeight: 400 },
    { maxWeight: 300, maxEntries: 10 },
  ])('agrees with a naive model: %o', (bounds) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const model = new Model({ ...bounds, policy })
        for (const [verb, ...args] of steps) (model[verb] as (...args: unknown[]) => void)(...args)
        model.checkAll()
      }),
      { numRuns: 60 },
    )
  })

  test('agrees with the model over 20,000 random steps and growth', () => {
    const seed = (Math.random() * 2 ** 31) | 0
    const random = seededRandom(seed)
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
    try {
      const model = new Model({ maxWeight: 60_000, policy })
      const lives = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 100, 3000, 1e6]
      for (let done = 0; done < 20_000; done++) {
        const name = `${Math.floor(random() ** 2 * 6000)}`
        const chance = random()
        if (chance < 0.5) model.get(name)
        else if (chance < 0.97) model.set(name, 1 + Math.floor(random() * 40), pick(lives), pick(lives))
        else if (chance < 0.99) model.delete(name)
        else model.wait(pick([1, 30, 64, 500, 9000]))
      }
      model.checkAll()
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  })
})
