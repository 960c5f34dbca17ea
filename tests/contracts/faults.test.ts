/** Races with a store that is slow or fails, with writers that die, with a bus that is cut: all end fresh. */
import type { Cache, CacheOptions, Store } from 'millpond'
import { MemoryFeed } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { KEY, NEW, OLD, readers, TAG, writers } from './race-parts.ts'
import { StoreGates, World } from './world.ts'

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

  test('the version of a tag, asked for before it is bumped and answered after it, is not remembered', async () => {
    const { world, gates, reader, writer } = setup()
    await readLate(writer, world) // the tag has no version in this process yet: asked for, not filled
    await world.clock.advance(1)
    await writer.delete(KEY)
    await world.settle()
    await readLate(writer, world) // now it is filled
    await world.clock.advance(1)
    const stored = (await world.store.read([`shop:${KEY}`], [])).entries[0]!
    expect(stored.record?.tags.map(([name]) => name)).toContain(TAG)

    const answer = gates.holdAnswer('read')
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
    const answer = gates.holdAnswer('read')
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
    const writer = world.cache({ store, storeTimeout: '1h', fence: '10h' })
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
    const options = {
      store: gates.wrap(world.store),
      memory: { maxEntries: 1 },
      storeTimeout: '1h',
      fence: '10h',
    } as const
    const cache = world.cache(options)
    await read(cache, world)
    await world.settle()
    world.database.write(KEY)
    const held = gates.holdCall('invalidate')
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
    const answer = gates.holdAnswer('read')
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
    const cache = world.cache({
      store: gates.wrap(world.store),
      bus: world.hub.connect(),
      storeTimeout: '1h',
      fence: '10h',
    })
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
    const cache = world.cache({ store: gates.wrap(world.store), storeTimeout: '1h', fence: '10h' })
    const row = cache.wrap((_: string) => load({ set() {} } as never), { key: () => KEY })
    const answer = gates.holdAnswer('read')
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

test.each([
  ['rejects', () => Promise.reject(new Error('no bus'))],
  [
    'throws',
    () => {
      throw new Error('no bus')
    },
  ],
])('a bus that %s is told of, and is no trouble of who changes something', async (_, publish) => {
  const world = new World()
  const cache = world.cache({ bus: Object.assign(world.hub.connect(), { publish }) })
  const told: unknown[] = []
  cache.on('busError', ({ error }) => told.push((error as Error).message))
  await cache.set(KEY, OLD)
  await cache.delete(KEY)
  await world.settle()
  expect(cache.peek(KEY)).toBeUndefined()
  expect(told).toEqual(['no bus', 'no bus'])
})
