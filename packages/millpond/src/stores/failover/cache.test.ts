/** Caches over a failover store: what a switch and a return mean to them. */
import { expect, test } from 'vitest'
import { type Cache, createCache } from '../../index.ts'
import { faultyStore } from '../../testing/faulty-store.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { MemoryBusHub } from '../../testing/memory-bus.ts'
import { MemoryStore } from '../../testing/memory-store.ts'
import { failoverStore } from './index.ts'

function setup() {
  const clock = manualClock()
  const isDown = [false, false]
  const providers = isDown.map((_, at) =>
    faultyStore(new MemoryStore(clock), ({ method }) => {
      if (isDown[at] && method !== 'close') throw new Error('down')
    }),
  )
  const hub = new MemoryBusHub()
  const open = () => createCache({ name: 'shop', ttl: '1h', store: failoverStore(providers, { clock }), bus: hub.connect(), clock }) // biome-ignore format: one line
  let loads = 0
  const read = (cache: Cache, key: string) => cache.getOrSet(key, () => ++loads, { tags: ['t'] })
  return { clock, isDown, open, read }
}

test('with a bus, which lets them remember versions, they share entries on each provider in its turn', async () => {
  const { clock, isDown, open, read } = setup()
  const [one, two] = [open(), open()]
  expect(await read(one, 'a')).toBe(1)
  await clock.advance(10)
  expect(await read(two, 'a')).toBe(1)
  isDown[0] = true
  expect(await read(one, 'b')).toBe(2)
  expect(await read(two, 'x')).toBe(3) // both have found out
  await clock.advance(200)
  expect(await read(one, 'c')).toBe(4)
  await clock.advance(10)
  expect(await read(two, 'c'), 'from the second provider').toBe(4)
  expect(await read(open(), 'c'), 'by one who never knew the first').toBe(4)
  isDown[0] = false
  await clock.advance(4000)
  expect(await read(one, 'd')).toBe(5)
  await clock.advance(10)
  expect(await read(two, 'd'), 'from the first one again').toBe(5)
  expect(await read(open(), 'a'), 'which has what it had').toBe(1)
})

test('without any provider they run on their memory, and share again when one is back', async () => {
  const { clock, isDown, open, read } = setup()
  const [one, two] = [open(), open()]
  isDown.fill(true)
  expect([await read(one, 'a'), await read(one, 'a'), await read(two, 'a')]).toEqual([1, 1, 2])
  await one.delete('a')
  expect(await read(one, 'a')).toBe(3)
  isDown[1] = false
  await clock.advance(4000)
  expect(await read(one, 'b')).toBe(4)
  await clock.advance(10)
  expect(await read(two, 'b')).toBe(4)
})
