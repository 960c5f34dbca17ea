/**
 * The stale-fill matrix: a load has read the old row, a writer changes the row and tells the cache, the load ends. A read
 * that begins after the writer has finished never gives the old row; nor does an instance that sees only the store. The
 * labels (S1 to S8) are those of the research that found each of these in other libraries.
 */
import type { Cache, CacheOptions, Store } from 'millpond'
import { describe, expect, test } from 'vitest'
import { KEY, NEW, OLD, readers, writers } from './race-parts.ts'
import { type RaceWorld, StoreGates } from './world.ts'

/** Makes the world of one race; its caches have these options too. */
export type MakeWorld = (options?: CacheOptions) => RaceWorld

/** The caches of the reading and the writing process, and of one that comes later and sees only the store. */
interface Caches {
  readonly reader: Cache
  readonly writer: Cache
  readonly newcomer?: () => Cache
}

/** Makes caches on a world; `store` is the reader's, where a race holds its calls. */
type MakeCaches = (world: RaceWorld, store?: Store) => Caches

/** Who shares what. */
export const tiers = {
  'near tier only': (world) => {
    const cache = world.cache()
    return { reader: cache, writer: cache }
  },
  'near tier and store': (world, store = world.store) => {
    const cache = world.cache({ store })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'store without near tier': (world, store = world.store) => {
    const cache = world.cache({ store, memory: false })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'near tier, store and bus': (world, store = world.store) => {
    const cache = world.cache({ store, bus: world.hub.connect() })
    return { reader: cache, writer: cache, newcomer: () => world.cache({ store: world.store }) }
  },
  'two instances with store and bus': (world, store = world.store) => {
    const make = (own: Store): Cache => world.cache({ store: own, bus: world.hub.connect() })
    return { reader: make(store), writer: make(world.store), newcomer: () => make(world.store) }
  },
  'two instances that load once for both': (world, store = world.store) => {
    const make = (own: Store): Cache => world.cache({ store: own, bus: world.hub.connect(), lock: 'store' })
    return { reader: make(store), writer: make(world.store), newcomer: () => make(world.store) }
  },
  'two instances with a bus and no store': (world) => ({
    reader: world.cache({ bus: world.hub.connect() }),
    writer: world.cache({ bus: world.hub.connect() }),
  }),
} satisfies Record<string, MakeCaches>

/** Those in which a store takes part. */
export const tiersWithStore: readonly (keyof typeof tiers)[] = [
  'near tier and store',
  'store without near tier',
  'two instances with store and bus',
  'two instances that load once for both',
]

/** Runs the matrix: each tier, each way to read, each way to write, each race. */
export function raceMatrix(makeWorld: MakeWorld, names: readonly (keyof typeof tiers)[]): void {
  describe.each(names)('%s', (tier) => {
    describe.each(Object.keys(readers) as (keyof typeof readers)[])('%s', (reader) => {
      for (const [race, { label, run }] of Object.entries(races)) {
        if (race.includes('store') && !tiersWithStore.includes(tier)) continue
        test.concurrent.each(Object.keys(writers))(`${label(tier)}: %s, ${race}`, async (writer) => {
          await run({ makeWorld, make: tiers[tier], read: readers[reader], tell: writers[writer]!, writer })
        })
      }
    })
  })
}

interface Given {
  readonly makeWorld: MakeWorld
  readonly make: MakeCaches
  readonly read: (cache: Cache, world: RaceWorld) => Promise<number>
  readonly tell: (cache: Cache, world: RaceWorld) => Promise<unknown>
  readonly writer: string
}

/** The reader, then the writer, then who comes later give the new row. */
async function expectNew({ reader, writer, newcomer }: Caches, read: Given['read'], world: RaceWorld): Promise<void> {
  expect(await read(reader, world)).toBe(NEW)
  await world.settle() // who loaded passes the turn on
  expect(await read(writer, world)).toBe(NEW)
  await world.settle()
  if (newcomer) expect(await read(newcomer(), world), 'from the store').toBe(NEW)
}

const isShared = (tier: string): boolean => tier.startsWith('two')
/** Calls of the store may be held for as long as a race wants. */
const PATIENT = { storeTimeout: '1h', fence: '10h' } as const

const races: Record<string, { label: (tier: string) => string; run: (given: Given) => Promise<void> }> = {
  'while a load is under way': {
    label: (tier) => (isShared(tier) ? 'S6' : 'S1 S3 S4 S5'),
    async run({ makeWorld, make, read, tell }) {
      const world = makeWorld()
      const caches = make(world)
      const held = world.database.holdNext()
      const early = read(caches.reader, world)
      await world.settle()
      await tell(caches.writer, world)
      await world.settle()
      held.open()
      expect(await early, 'the caller of the load gets what it loaded').toBe(OLD)
      await world.settle()
      await expectNew(caches, read, world)
    },
  },

  'and a reader that comes after it does not join the old load': {
    label: () => 'S2',
    async run({ makeWorld, make, read, tell }) {
      const world = makeWorld()
      const caches = make(world)
      const held = world.database.holdNext()
      const early = read(caches.reader, world)
      await world.settle()
      await tell(caches.writer, world)
      await world.settle()
      const after = read(caches.reader, world)
      await world.settle()
      held.open()
      expect(await after).toBe(NEW)
      expect(await early).toBe(OLD)
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
    },
  },

  'while a value is renewed in the background': {
    label: () => 'S8',
    async run({ makeWorld, make, read, tell, writer }) {
      const world = makeWorld({ ttl: 400, staleWhileRevalidate: 10_000 })
      const caches = make(world)
      for (let again = 0; again < 3; again++) {
        await read(caches.reader, world) // the first load learns the version of a tag that is named late
        await world.settle()
        await world.pass(1)
      }
      await world.pass(450)
      const { loads } = world.database
      const held = world.database.holdNext()
      expect(await read(caches.reader, world), 'the stale value is served').toBe(OLD)
      await world.settle()
      expect(world.database.loads).toBe(loads + 1)
      await tell(caches.writer, world)
      await world.settle()
      held.open()
      await world.settle()
      if (writer.startsWith('expire')) await read(caches.reader, world) // may be served the stale value once more
      await world.settle()
      expect(await read(caches.reader, world)).toBe(NEW)
      await world.settle()
      if (caches.newcomer) expect(await read(caches.newcomer(), world), 'from the store').toBe(NEW)
    },
  },

  'with nothing under way': {
    label: () => 'coherence',
    async run({ makeWorld, make, read, tell }) {
      const world = makeWorld()
      const caches = make(world)
      for (let again = 0; again < 3; again++) {
        expect(await read(caches.reader, world)).toBe(OLD)
        await world.settle()
        expect(await read(caches.writer, world)).toBe(OLD)
        await world.settle()
        await world.pass(1)
      }
      await tell(caches.writer, world)
      await world.settle()
      await expectNew(caches, read, world)
    },
  },

  'before a fill that was sent reaches the store': {
    label: () => 'S5L2 S6L2',
    async run({ makeWorld, make, read, tell }) {
      const world = makeWorld(PATIENT)
      const gates = new StoreGates()
      const caches = make(world, gates.wrap(world.store))
      for (let again = 0; again < 2; again++) {
        await read(caches.reader, world) // a tag that is named late has a version now
        await world.settle()
        await world.pass(1)
        await caches.writer.delete(KEY)
        await world.settle()
      }
      const fill = gates.holdCall('fill')
      expect(await read(caches.reader, world)).toBe(OLD)
      await world.settle()
      await tell(caches.writer, world)
      await world.settle()
      fill.open()
      await world.settle()
      expect(await read(caches.newcomer!(), world)).toBe(NEW)
      expect(await read(caches.reader, world)).toBe(NEW)
    },
  },

  'between the read of the old record in the store and its answer': {
    label: () => 'S5L2 S6L2',
    async run({ makeWorld, make, read, tell }) {
      const world = makeWorld(PATIENT)
      const gates = new StoreGates()
      const caches = make(world, gates.wrap(world.store))
      const other = world.cache({ store: world.store })
      for (let again = 0; again < 2; again++) {
        await other.delete(KEY)
        await read(other, world) // once more: a tag that is named late has a version now
        await world.settle()
        await world.pass(1)
      }
      const answer = gates.holdAnswer('read')
      const early = read(caches.reader, world)
      await world.settle()
      await tell(caches.writer, world)
      await world.settle()
      const after = read(caches.reader, world)
      await world.settle()
      answer.open()
      await world.settle()
      await world.pass(5)
      expect([OLD, NEW], 'it came before the writer had finished').toContain(await early)
      expect(await after).toBe(NEW)
      expect(await read(caches.reader, world)).toBe(NEW)
    },
  },
}
