/** Sources of which a store has values of other shapes: schemas, and versions. */
import { describe, expect, it } from 'vitest'
import { ValueError } from '../core/errors.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'

describe('a schema that makes new values, as zod does', () => {
  interface Post {
    readonly title: string
    readonly at: Date
  }
  /** Takes dates as such and as text, fills in a title, and gives a new object each time. */
  function postSchema() {
    const seen: unknown[] = []
    const schema: StandardSchema<Post> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate(value) {
          seen.push(value)
          const { title = 'untitled', at } = value as Partial<Post>
          const date = new Date(at!)
          if (Number.isNaN(+date)) return { issues: [{ message: 'no date', path: [{ key: 'at' }] }] }
          return { value: { title, at: date } }
        },
      },
    }
    return { schema, seen }
  }

  function posts(store: MemoryStore, clock: ReturnType<typeof manualClock>, row: unknown = { at: '2026-01-01' }) {
    const cache = createCache({ clock, store })
    const { schema, seen } = postSchema()
    let loads = 0
    const load = () => {
      loads++
      return row as Post
    }
    const source = cache.define<number, Post>({ name: 'post', schema, load })
    const told: unknown[] = []
    cache.on('decodeError', (event) => told.push(event))
    return { cache, source, seen, told, loads: () => loads }
  }

  it('has the near tier keep what it made of the value of the store, and is asked once', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const first = posts(store, clock)
    expect(await first.source.get(1)).toEqual({ title: 'untitled', at: new Date('2026-01-01') })
    await clock.advance(0)
    const second = posts(store, clock)
    const [one, two] = [await second.source.get(1), await second.source.get(1)]
    expect(one).toEqual({ title: 'untitled', at: new Date('2026-01-01') })
    expect(two).toBe(one)
    expect(second.source.peek(1)).toBe(one)
    expect(Object.isFrozen(one)).toBe(true)
    expect(second.seen).toHaveLength(1)
    expect([second.loads(), second.told]).toEqual([0, []])
  })

  it('makes what it refuses a miss in the counters too, and the store gets the new value', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const old = createCache({ clock, store })
    await old.define({ name: 'post', load: () => ({ at: 'yesterday' }) }).get(1)
    await clock.advance(0)
    const first = posts(store, clock)
    expect((await first.source.get(1))?.at).toEqual(new Date('2026-01-01'))
    expect(first.told).toEqual([{ key: 'post@1(1)', error: expect.any(ValueError) }])
    expect((first.told[0] as { error: Error }).error.message).toContain('at: no date')
    expect(first.cache.stats()).toMatchObject({ misses: 1, storeHits: 0, loads: 1 })
    await clock.advance(0)
    const second = posts(store, clock)
    await second.source.get(1)
    expect([second.loads(), second.told]).toEqual([0, []])
  })

  it('checks what a codec of the source decodes', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const codec = {
      encode: (value: unknown) => `v:${JSON.stringify(value)}`,
      decode: (text: string) => JSON.parse(text.slice(2)) as unknown,
    }
    const open = (value: unknown) => {
      const cache = createCache({ clock, store })
      const told: unknown[] = []
      cache.on('decodeError', (event) => told.push(event))
      return {
        told,
        source: cache.define<number, Post>({
          name: 'post',
          codec,
          schema: postSchema().schema,
          load: () => value as Post,
        }),
      }
    }
    const [first, second] = [open({ at: 0 }), open({ at: 1 })]
    await first.source.get(1)
    await clock.advance(0)
    expect(await second.source.get(1)).toEqual({ title: 'untitled', at: new Date(0) })
    expect(second.told).toEqual([])
  })
})

describe('versions of a source that share a store', () => {
  it('live side by side: none reads the other, and none makes the other load again', async () => {
    const clock = manualClock()
    const store = new MemoryStore(clock)
    const release = (version: number) => {
      let loads = 0
      const load = (id: number) => {
        loads++
        return { id, version }
      }
      // Nothing stays near: every read asks the store.
      const cache = createCache({ clock, store, memory: false })
      const source = cache.define<number, { id: number; version: number }>({
        name: 'thing',
        version,
        load,
        tags: ['things'],
      })
      return { cache, source, loads: () => loads }
    }
    const releases = [release(1), release(2), release(1), release(2)]
    for (let turn = 0; turn < 5; turn++) {
      for (const [at, { source }] of releases.entries()) {
        expect((await source.get(7))?.version).toBe(1 + (at % 2))
        await clock.advance(10)
      }
    }
    expect(releases.map(({ loads }) => loads())).toEqual([1, 1, 0, 0])
    // What they have in common is their tags.
    await releases[1]!.cache.deleteByTag('things')
    for (const { source } of releases) await source.get(7)
    expect(releases.reduce((sum, { loads }) => sum + loads(), 0)).toBeGreaterThan(2)
    expect(releases[0]!.loads()).toBe(2)
  })
})
