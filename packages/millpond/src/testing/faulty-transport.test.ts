import { expect, test } from 'vitest'
import type { TransportAddress } from '../core/transport.ts'
import { faultyTransport, type TransportFaults } from './faulty-transport.ts'
import { manualClock } from './manual-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

test('it loses and doubles the shares that it is told', async () => {
  const { send, heard, faulty } = await twoEnds({ loss: 0.25, duplication: 0.5 })
  for (let count = 0; count < 4000; count++) send(count % 256)
  const distinct = new Map<number, number>()
  for (const value of await heard()) distinct.set(value, (distinct.get(value) ?? 0) + 1)
  const arrived = [...distinct.values()].reduce((sum, count) => sum + count, 0)
  expect(arrived / 4000).toBeGreaterThan(0.75 * 1.5 * 0.95)
  expect(arrived / 4000).toBeLessThan(0.75 * 1.5 * 1.05)
  expect(faulty.dropped / 4000).toBeCloseTo(0.25, 1)
})

test('a delay lets datagrams overtake one another, and keeps their bytes', async () => {
  const { send, heard } = await twoEnds({ delayMs: 50 })
  for (let value = 0; value < 100; value++) send(value)
  const values = await heard()
  expect(values).not.toEqual(values.toSorted((a, b) => a - b))
  expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, value) => value))
})

test('an end that is cut off is not heard and takes no stream, until it is healed', async () => {
  const { send, heard, faulty, to } = await twoEnds({ isCut: () => true })
  send(1)
  expect(await heard()).toEqual([])
  expect(faulty.dropped).toBe(1)
  await expect(faulty.connect(to)).rejects.toThrow(/cut off/)
  faulty.faults = {}
  send(2)
  expect(await heard()).toEqual([2])
})

/** A plain sender, and a receiver with faults. `heard` drives the clock until nothing is on its way. */
async function twoEnds(faults: TransportFaults) {
  const clock = manualClock()
  const network = new SimulatedNetwork(clock, { seed: 7 })
  const [sender, receiver] = [network.host().transport, network.host().transport]
  const values: number[] = []
  const ignore = { datagram: () => {}, stream: () => {}, failed: () => {} }
  const to: TransportAddress = await sender.open(ignore)
  const faulty = faultyTransport(receiver, { faults, seed: 7, clock })
  const own = await faulty.open({ ...ignore, datagram: (bytes) => void values.push(bytes[0]!) })
  return {
    faulty,
    to,
    send: (value: number) => sender.send(Uint8Array.of(value), own),
    heard: async () => {
      await clock.advance(1000)
      return values.splice(0)
    },
  }
}
