/**
 * The stale-fill matrix: a load has read the old row, a writer changes the row and tells the cache, the load ends. A read
 * that begins after the writer has finished never gives the old row; nor does an instance that sees only the store.
 */
import type { Cache, CacheOptions, Store } from 'millpond'
import { createNearCache, type NearCache } from 'millpond/core'
import { describe, expect, test } from 'vitest'
import { StoreGates, World } from './world.ts'

const KEY = 'row:1'
const TAG = 'rows'
const OLD = 1
const NEW = 2

/** How a writer changes the row and tells the cache. */
type Tell = (cache: Cache, world: World) => Promise<unknown>

const afterwards =
  (tell: (cache: Cache) => Promise<unknown>): Tell =>
  async (cache, { database }) => {
    database.write(KEY)
    await tell(cache)
  }

const writers: Record<string, Tell> = {
  delete: afterwards((cache) => cache.delete(KEY)),
  'set the new value': afterwards((cache) => cache.set(KEY, NEW, { tags: [TAG] })),
  deleteByTag: afterwards((cache) => cache.deleteByTag(TAG)),
  expire: afterwards((cache) => cache.expire(KEY)),
  expireByTag: afterwards((cache) => cache.expireByTag(TAG)),
  clear: afterwards((cache) => cache.clear()),
  update: afterwards((cache) => cache.update(KEY, () => NEW, { tags: [TAG] })),
  'mutate the key': (cache, { database }) => cache.mutate({ keys: [KEY] }, () => database.write(KEY)),
  'mutate the tag': (cache, { database }) => cache.mutate({ tags: [TAG] }, () => database.write(KEY)),
  'flush collected invalidations': afterwards(async (cache) => {
    const later = cache.invalidations()
    later.delete(KEY)
    await later.flush()
  }),
}

/** How readers read. `late`: the loader names the tag when it is done. */
const readers = {
  'tags known early': (cache: Cache, { database }: World) => cache.getOrSet(KEY, database.load(KEY), { tags: [TAG] }),
  'tags named late': (cache: Cache, { database }: World) => cache.getOrSet(KEY, database.load(KEY, [TAG])),
}

/** The tiers of the reading and the writing process. */
const tiers: Record<string, (world: World) => { reader: Cache; writer: Cache; newcomer?: () => Cache }> = {
  'near tier only': (world) => {
    const cache = world.cache()
    return { reader: cache, writer: cache }
  },
  'near tier and store': (world) => {
    const cache = world.cache({ store: world.store })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'store without near tier': (world) => {
    const cache = world.cache({ store: world.store, memory: false })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'near tier, store and bus': (world) => {
    const cache = world.cache({ store: world.store, bus: world.hub.connect() })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'two instances with store and bus': (world) => {
    const make = (): Cache => world.cache({ store: world.store, bus: world.hub.connect() })
    return { reader: make(), writer: make(), newcomer: make }
  },
  'two instances with a bus and no store': (world) => ({
    reader: world.cache({ bus: world.hub.connect() }),
    writer: world.cache({ bus: world.hub.connect() }),
  }),
}

/** The labels of the research matrix for each way to tell and each arrangement. */
function label(tell: string, tier: string): string {
  if (tier.startsWith('two')) return 'S6'
  const single = /tag/i.test(tell) ? 'S4' : /set|update/.test(tell) ? 'S3' : 'S1'
  return tier === 'near tier only' ? single : `S5 (${single})`
}

describe.each(Object.keys(tiers))('%s', (tier) => {
  describe.each(Object.keys(readers) as (keyof typeof readers)[])('%s', (reader) => {
    const read = readers[reader]

    test.each(Object.keys(writers))(
      `${tier.startsWith('two') ? 'S6' : 'S1 S3 S4 S5'}: %s while a load is under way`,
      async (name) => {
        // biome-ignore format: one line
        const world = new World()
        const caches = tiers[tier]!(world)
        const held = world.database.holdNext()
        const early = read(caches.reader, world)
        await world.settle()
        await writers[name]!(caches.writer, world)
        await world.settle()
        held.open()
        expect(await early, 'the caller of the load gets what it loaded').toBe(OLD)
        await world.settle()
        expect(await read(caches.reader, world), label(name, tier)).toBe(NEW)
        expect(await read(caches.writer, world), label(name, tier)).toBe(NEW)
        if (caches.newcomer) expect(await read(caches.newcomer(), world), `${label(name, tier)} L2`).toBe(NEW)
      },
    )

    test.each(Object.keys(writers))('S2: a reader that comes after %s does not join the old load', async (name) => {
      const world = new World()
      const caches = tiers[tier]!(world)
      const held = world.database.holdNext()
      const early = read(caches.reader, world)
      await world.settle()
      await writers[name]!(caches.writer, world)
      await world.settle()
      const after = read(caches.reader, world)
      await world.settle()
      held.open()
      expect(await after).toBe(NEW)
      expect(await early).toBe(OLD)
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
    })

    test.each(Object.keys(writers))('S8: a background renewal races %s', async (name) => {
      const world = new World()
      const options: CacheOptions = { ttl: 100, staleWhileRevalidate: 10_000 }
      const withRenewal = { cache: (more: CacheOptions) => World.prototype.cache.call(world, { ...options, ...more }) }
      const caches = tiers[tier]!(Object.assign(Object.create(world) as World, withRenewal))
      for (let again = 0; again < 3; again++) {
        await read(caches.reader, world) // the first load learns the version of a tag that is named late
        await world.clock.advance(1)
      }
      await world.clock.advance(150)
      const { loads } = world.database
      const held = world.database.holdNext()
      expect(await read(caches.reader, world), 'the stale value is served').toBe(OLD)
      await world.settle()
      expect(world.database.loads).toBe(loads + 1)
      await writers[name]!(caches.writer, world)
      await world.settle()
      held.open()
      await world.settle()
      if (name.startsWith('expire')) await read(caches.reader, world) // may be served the stale value once more
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
      if (caches.newcomer) expect(await read(caches.newcomer(), world), 'S8 L2').toBe(NEW)
    })

    test.each(Object.keys(writers))('coherence: %s with nothing under way', async (name) => {
      const world = new World()
      const caches = tiers[tier]!(world)
      for (let again = 0; again < 3; again++) {
        expect(await read(caches.reader, world)).toBe(OLD)
        expect(await read(caches.writer, world)).toBe(OLD)
        await world.clock.advance(1)
      }
      await writers[name]!(caches.writer, world)
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
      expect(await read(caches.writer, world)).toBe(NEW)
      if (caches.newcomer) expect(await read(caches.newcomer(), world), 'from the store').toBe(NEW)
    })
  })
})

describe('the small cache of millpond/core', () => {
  const small: Record<string, (cache: NearCache, world: World) => Promise<unknown>> = {
    delete: (cache) => cache.delete(KEY),
    'set the new value': (cache) => cache.set(KEY, NEW),
    deleteByTag: (cache) => cache.deleteByTag(TAG),
    expire: (cache) => cache.expire(KEY),
    clear: (cache) => cache.clear(),
    'mutate the key': (cache) => cache.mutate({ keys: [KEY] }, () => {}),
  }
  test.each(Object.keys(small))(
    'S1 S2 S3 S4 S6: %s while a load is under way, here and in another process',
    async (name) => {
      // biome-ignore format: one line
      for (const lateTags of [[], [TAG]]) {
      const world = new World()
      const { clock, database, hub } = world
      const [reader, writer] = [0, 1].map(() => createNearCache({ name: 'shop', clock, bus: hub.connect() }))
      for (const teller of [reader!, writer!]) {
        const before = database.version(KEY)
        const read = () => reader!.getOrSet(KEY, database.load(KEY, lateTags), { tags: lateTags.length > 0 ? [] : [TAG] })
        await reader!.clear()
        const held = database.holdNext()
        const early = read()
        await world.settle()
        database.write(KEY)
        await small[name]!(teller, world)
        await world.settle()
        const after = read()
        await world.settle()
        held.open()
        expect(await early).toBe(before)
        const fresh = name === 'set the new value' ? [NEW, before + 1] : [before + 1]
        expect(fresh).toContain(await after)
        expect(fresh).toContain(await read())
      }
    }
    },
  )
})

describe('a store that is slow to answer', () => {
  /** A reader whose calls of the store can be held, a writer with the same store, and a newcomer. */
  function setup(options: CacheOptions = {}) {
    const world = new World()
    const gates = new StoreGates()
    const make = (store = world.store as CacheOptions['store'] & {}): Cache =>
      world.cache({ store, bus: world.hub.connect(), storeTimeout: '1h', fence: '10h', ...options })
    return { world, gates, reader: make(gates.wrap(world.store)), writer: make(), newcomer: () => make() }
  }
  const read = readers['tags known early']
  const readLate = readers['tags named late']

  test.each(Object.keys(writers))('S5L2 S6L2: a fill that arrives after %s is refused', async (name) => {
    const { world, gates, reader, writer, newcomer } = setup()
    const fill = gates.holdCall('fill')
    expect(await read(reader, world)).toBe(OLD)
    await world.settle()
    await writers[name]!(writer, world)
    await world.settle()
    fill.open()
    await world.settle()
    expect(await read(newcomer(), world)).toBe(NEW)
    expect(await read(reader, world)).toBe(NEW)
  })

  test.each(Object.keys(writers))('the old record, read before %s and answered after it, is not kept', async (name) => {
    const { world, gates, reader, writer } = setup()
    await read(writer, world)
    await world.settle()
    const answer = gates.holdAnswer('getMany')
    const early = read(reader, world)
    await world.settle()
    await writers[name]!(writer, world)
    await world.settle()
    const after = read(reader, world)
    await world.settle()
    answer.open()
    expect(await early).toBe(OLD)
    expect(await after).toBe(NEW)
    expect(await read(reader, world)).toBe(NEW)
  })

  test('the version of a tag, asked for before it is bumped and answered after it, is not remembered', async () => {
    const { world, gates, reader, writer } = setup()
    await readLate(writer, world) // the tag has no version in this process yet: asked for, not filled
    await world.clock.advance(1)
    await writer.delete(KEY)
    await world.settle()
    await readLate(writer, world) // now it is filled
    await world.clock.advance(1)
    const stored = (await world.store.getMany([`shop:${KEY}`]))[0]!
    expect(stored.record?.tags.map(([name]) => name)).toContain(TAG)

    const answer = gates.holdAnswer('versions')
    const early = reader.getOrSet('other', world.database.load('other'), { tags: [TAG] })
    await world.settle()
    // The row changes, and of the entries that carry the tag one is put back with its old version, as a load that the
    // writer's process did not know of would: whoever believes in the old version takes it for current.
    world.database.write(KEY)
    await writer.deleteByTag(TAG)
    await world.settle()
    answer.open()
    await early
    await world.settle()
    expect(await readLate(reader, world)).toBe(NEW)
  })

  test('a tag that is bumped in this process does not come back by a late answer either', async () => {
    const { world, gates, reader } = setup()
    const answer = gates.holdAnswer('versions')
    const early = read(reader, world)
    await world.settle()
    world.database.write(KEY)
    await reader.deleteByTag(TAG)
    answer.open()
    await early
    await world.settle()
    expect(await read(reader, world)).toBe(NEW)
    expect(await read(setupNewcomer(world), world)).toBe(NEW)
  })

  test('the answer of an invalidation is lost: it is made up for, and peers are told again', async () => {
    const world = new World()
    let isLost = false
    const gates = new StoreGates()
    const flaky = new Proxy(world.store, {
      get(target, method: keyof typeof world.store) {
        const member = target[method]
        if (typeof member !== 'function') return member
        return (...args: unknown[]) =>
          isLost
            ? Promise.reject(new Error('connection lost'))
            : (member as (...args: unknown[]) => unknown).apply(target, args)
      },
    })
    const writer = world.cache({ store: flaky, bus: world.hub.connect() })
    const peer = world.cache({ store: gates.wrap(world.store), bus: world.hub.connect() })
    await read(writer, world)
    await read(peer, world)
    isLost = true
    world.database.write(KEY)
    await writer.delete(KEY)
    await world.settle()
    // The peer dropped its copy when the bus told it, and finds the old one in the store, which could not be told.
    expect(await read(peer, world)).toBe(OLD)
    isLost = false
    await world.clock.advance(2000)
    expect(await read(peer, world)).toBe(NEW)
    expect(await read(writer, world)).toBe(NEW)
  })

  test('a delete of a key that is just being made up for is not lost', async () => {
    const world = new World()
    const gates = new StoreGates()
    let isDown = false
    const down = (): Promise<void> | undefined => (isDown ? Promise.reject(new Error('down')) : undefined)
    const store = new Proxy(gates.wrap(world.store), {
      get(target, method: keyof Store) {
        const member = target[method] as unknown
        if (typeof member !== 'function') return member
        return async (...args: unknown[]) => {
          await down()
          return (member as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
    const writer = world.cache({ store, storeTimeout: '1h' })
    isDown = true
    await writer.delete(KEY)
    isDown = false
    const answer = gates.holdAnswer('invalidate')
    await world.clock.advance(150) // the probe succeeds; the tombstone is put, its answer is on its way
    const other = world.cache({ store: world.store, memory: false })
    expect(await read(other, world)).toBe(OLD)
    await world.settle()
    world.database.write(KEY)
    await writer.delete(KEY) // the breaker is still open
    answer.open()
    await world.clock.advance(2000)
    expect(await read(other, world)).toBe(NEW)
  })

  test('a fill that was given up may still arrive: it is voided when the store is back', async () => {
    const world = new World()
    const gates = new StoreGates()
    const slow = world.cache({ store: gates.wrap(world.store), fence: 400, storeTimeout: 50 })
    const writer = world.cache({ store: world.store, fence: 400 })
    const fill = gates.holdCall('fill')
    expect(await read(slow, world)).toBe(OLD)
    await world.settle()
    world.database.write(KEY)
    await writer.delete(KEY)
    await world.clock.advance(450) // the tombstone is over, and nothing refuses the fill any more
    fill.open()
    await world.clock.advance(2000)
    expect(await read(world.cache({ store: world.store }), world)).toBe(NEW)
  })

  test('a set that the store has not taken yet is not undone by a read in between', async () => {
    const world = new World()
    const gates = new StoreGates()
    const options = { store: gates.wrap(world.store), memory: { maxEntries: 1 }, storeTimeout: '1h' } as const
    const cache = world.cache(options)
    await read(cache, world)
    await world.settle()
    world.database.write(KEY)
    const held = gates.holdCall('set')
    const setting = cache.set(KEY, NEW, { tags: [TAG] })
    await world.settle()
    for (let at = 0; at < 20; at++) await cache.set(`other ${at}`, at) // evicts the new value
    expect(await read(cache, world), 'read while the set is under way').toBe(OLD)
    held.open()
    await setting
    expect(await read(cache, world)).toBe(NEW)
  })

  test.each(['delete', 'clear', 'deleteByTag'])(
    'what is read from the store before %s has reached it is not kept',
    async (name) => {
      // biome-ignore format: one line
      const { world, gates, reader, writer } = setup()
      await read(writer, world)
      await world.settle()
      const held = gates.holdCall(name === 'delete' ? 'invalidate' : 'bump')
      const telling = writers[name]!(reader, world)
      await world.settle()
      expect(await read(reader, world), 'promoted meanwhile').toBe(OLD)
      held.open()
      await telling
      expect(await read(reader, world)).toBe(NEW)
    },
  )

  test('a load that began between two looks is not stored on top of a write in between', async () => {
    const { world, gates, reader, writer } = setup()
    const answer = gates.holdAnswer('getMany')
    const early = read(reader, world)
    await world.settle()
    const dying = writer.mutate({ keys: [KEY] }, () => new Promise(() => {})) // its process dies
    await world.settle()
    answer.open()
    await early
    await world.settle()
    world.database.write(KEY)
    expect(await read(reader, world)).toBe(NEW)
    void dying
  })

  function setupNewcomer(world: World): Cache {
    return world.cache({ store: world.store })
  }
})

describe('a writer that dies between the two fences of mutate', () => {
  const targets = { 'by key': { keys: [KEY] }, 'by tag': { tags: [TAG] } }
  test.each(Object.entries(targets))('%s: nobody keeps the old row', async (_, target) => {
    for (const read of Object.values(readers)) {
      const world = new World()
      const make = (): Cache => world.cache({ store: world.store, bus: world.hub.connect() })
      const [writer, peer] = [make(), make()]
      for (let again = 0; again < 3; again++) {
        await read(writer, world)
        await read(peer, world)
        await world.clock.advance(1)
        await peer.delete('another')
      }
      void writer.mutate(target, () => {
        world.database.write(KEY)
        return new Promise(() => {}) // committed, and dead
      })
      await world.settle()
      expect(await read(peer, world)).toBe(NEW)
      expect(await read(make(), world)).toBe(NEW)
      await world.clock.advance(10_001) // the fence is over
      expect(await read(peer, world)).toBe(NEW)
      const loads = world.database.loads
      await read(peer, world)
      expect(world.database.loads, 'and then it is kept again').toBe(loads)
    }
  })

  test('what is read before the commit is kept nowhere', async () => {
    const world = new World()
    const make = (): Cache => world.cache({ store: world.store, bus: world.hub.connect() })
    const [writer, peer] = [make(), make()]
    const read = readers['tags known early']
    let commit = (): void => {}
    void writer.mutate({ keys: [KEY] }, () => {
      commit = () => void world.database.write(KEY)
      return new Promise(() => {})
    })
    await world.settle()
    expect(await read(peer, world)).toBe(OLD)
    expect(await read(writer, world)).toBe(OLD)
    commit()
    expect(await read(peer, world)).toBe(NEW)
    expect(await read(writer, world)).toBe(NEW)
    expect(await read(make(), world)).toBe(NEW)
  })
})

describe('a bus that is cut and healed', () => {
  const read = readers['tags known early']
  test.each(['the receiver', 'the sender'])('%s was cut off: after it is healed the old row is gone', async (who) => {
    for (const store of [true, false]) {
      const world = new World()
      const [ours, theirs] = [world.hub.connect(), world.hub.connect()]
      const options = store ? { store: world.store } : {}
      const writer = world.cache({ ...options, bus: ours })
      const peer = world.cache({ ...options, bus: theirs })
      await read(peer, world)
      const cut = who === 'the sender' ? ours : theirs
      cut.cut()
      world.database.write(KEY)
      await writer.delete(KEY)
      await world.settle()
      expect(await read(peer, world), 'nobody told it').toBe(OLD)
      cut.heal()
      await world.settle()
      expect(await read(peer, world)).toBe(NEW)
    }
  })

  test('a load that is under way when the gap is told is not kept', async () => {
    const world = new World()
    const bus = world.hub.connect()
    const peer = world.cache({ bus })
    const held = world.database.holdNext()
    const early = read(peer, world)
    await world.settle()
    bus.cut()
    world.database.write(KEY)
    bus.heal()
    held.open()
    await early
    expect(await read(peer, world)).toBe(NEW)
  })
})

describe('writes by the application while a load is under way', () => {
  test('write-through: a load that began during the write does not replace what was written', async () => {
    for (const store of [true, false]) {
      const world = new World()
      const { database } = world
      const cache = world.cache(store ? { store: world.store } : {})
      const source = cache.define<string, number>({
        name: 'rows',
        load: (id, ctx) => database.load(id)(ctx as never),
        write: async () => {
          const held = database.holdNext()
          const early = source.get(KEY)
          await world.settle()
          database.write(KEY)
          setImmediate(() => held.open())
          void early
        },
      })
      await source.set(KEY, NEW)
      await world.settle()
      await world.settle()
      expect(await source.get(KEY)).toBe(NEW)
    }
  })

  test('update: a load that began during the change does not replace what it made', async () => {
    const world = new World()
    const cache = world.cache()
    const held = world.database.holdNext()
    let early: Promise<unknown> | undefined
    const updating = cache.update<number>(KEY, async (value = 100) => {
      early = cache.getOrSet(KEY, world.database.load(KEY))
      await world.settle()
      return value + 1
    })
    expect(await updating).toBe(101)
    held.open()
    await early
    expect(await cache.get(KEY)).toBe(101)
  })

  test('update: what the store took is not changed again because a late message voided the lease', async () => {
    const world = new World()
    const gates = new StoreGates()
    const bus = world.hub.connect()
    const cache = world.cache({ store: gates.wrap(world.store), bus: world.hub.connect(), storeTimeout: '1h' })
    await cache.set('count', 5)
    const answer = gates.holdAnswer('fill')
    const updating = cache.update<number>('count', (count = 0) => count + 1)
    await world.settle()
    await bus.publish({ cache: 'shop', kind: 'delete', keys: ['count'] })
    await world.settle()
    answer.open()
    expect(await updating).toBe(6)
    expect(await cache.get('count')).toBe(6)
  })

  test('set of a value that a feed covers voids what the store has of the key', async () => {
    const { MemoryFeed } = await import('millpond/testing')
    const world = new World()
    const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
    const fed = world.cache({ store: world.store, feed })
    await fed.set(KEY, 'plain')
    await fed.set(KEY, 'covered', { tags: ['trades:1'] })
    expect(await world.cache({ store: world.store }).get(KEY)).toBeUndefined()
  })

  test('a refresh is not undone by a promotion from the store that began before it', async () => {
    const world = new World()
    const gates = new StoreGates()
    const load = world.database.load(KEY)
    await world.cache({ store: world.store }).getOrSet(KEY, load)
    await world.settle()
    const cache = world.cache({ store: gates.wrap(world.store), storeTimeout: '1h' })
    const row = cache.wrap((_: string) => load({ set() {} } as never), { key: () => KEY })
    const answer = gates.holdAnswer('getMany')
    const early = row(KEY)
    await world.settle()
    world.database.write(KEY)
    expect(await row.refresh(KEY)).toBe(NEW)
    answer.open()
    expect(await early).toBe(OLD)
    expect(row.peek(KEY)).toBe(NEW)
  })
})

describe('a request memo', () => {
  test('does not bring back what a write in the same request replaced', async () => {
    const world = new World()
    const cache = world.cache()
    const read = (): Promise<number> => cache.getOrSet(KEY, world.database.load(KEY), { tags: [TAG] })
    for (const target of [{ keys: [KEY] }, { tags: [TAG] }]) {
      await cache.request(async () => {
        await cache.mutate(target, async () => {
          await read() // inside the transaction: the old row
          world.database.write(KEY)
        })
        expect(await read()).toBe(world.database.version(KEY))
      })
    }
  })
})
