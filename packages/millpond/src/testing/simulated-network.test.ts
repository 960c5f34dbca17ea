import { describe, expect, test } from 'vitest'
import type { TransportStream } from '../core/transport.ts'
import { transportContract } from './contracts-transport.ts'
import { manualClock } from './manual-clock.ts'
import type { SimulatedHost, SimulatedHostOptions } from './simulated-host.ts'
import type { SimulatedLink } from './simulated-link.ts'
import { SimulatedNetwork } from './simulated-network.ts'

interface End {
  readonly host: SimulatedHost
  /** `bytes@time` of each datagram that came. */
  readonly got: string[]
  readonly streams: TransportStream[]
}

async function mesh(count: number, link: SimulatedLink = {}, options: SimulatedHostOptions = {}, seed = 1) {
  const clock = manualClock()
  const network = new SimulatedNetwork(clock, { seed, link })
  const ends: End[] = []
  for (let at = 0; at < count; at++) {
    const end: End = { host: network.host(options), got: [], streams: [] }
    ends.push(end)
    await end.host.transport.open({
      datagram: (bytes, host, port) => end.got.push(`${text(bytes)}@${clock.monotonic()} ${host}:${port}`),
      stream: (stream) => end.streams.push(stream),
      failed: () => {},
    })
  }
  return { clock, network, ends: ends as [End, End, ...End[]] }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const bytes = (of: string): Uint8Array => Buffer.from(of)
const sendMany = ({ host }: End, count: number, to?: End) => {
  for (let at = 0; at < count; at++) host.transport.send(bytes(`${at}`), to?.host.address)
}

describe('datagrams', () => {
  test('go to all, the sender too, or to one', async () => {
    const { clock, ends } = await mesh(3)
    const [one, two] = ends
    one.host.transport.send(bytes('all'))
    one.host.transport.send(bytes('you'), two.host.address)
    await clock.advance(1)
    expect(ends.map(({ got }) => got)).toEqual([
      ['all@0.1 10.0.0.1:20001'],
      ['all@0.1 10.0.0.1:20001', 'you@0.1 10.0.0.1:20001'],
      ['all@0.1 10.0.0.1:20001'],
    ])
  })

  test('without multicast go to those that are known', async () => {
    const clock = manualClock()
    const network = new SimulatedNetwork(clock, { seed: 1, multicast: false })
    const hosts = [network.host(), network.host(), network.host()]
    for (const { transport } of hosts) await transport.open({ datagram() {}, stream() {}, failed() {} })
    hosts[0]!.transport.know([hosts[2]!.address])
    hosts[0]!.transport.send(bytes('all'))
    await clock.advance(1)
    expect(hosts.map(({ counts }) => counts.received)).toEqual([0, 0, 1])
  })

  test('are lost, doubled, damaged and overtaken as often as asked, and the same for the same seed', async () => {
    const faults = { loss: 0.1, duplication: 0.2, corruption: 0.05, reordering: 0.3, delayMs: 1 }
    const run = async (seed: number) => {
      const { clock, ends } = await mesh(2, faults, {}, seed)
      sendMany(ends[0], 5000, ends[1])
      await clock.advance(100)
      return { got: ends[1].got, counts: ends[0].host.counts, received: ends[1].host.counts.received }
    }
    const { got, counts, received } = await run(7)
    expect(counts.sent).toBe(5000)
    expect(counts.lost / 5000).toBeCloseTo(0.1, 1)
    expect(counts.duplicated / 4500).toBeCloseTo(0.2, 1)
    expect(counts.corrupted / received).toBeCloseTo(0.05, 1)
    expect(counts.reordered / received).toBeCloseTo(0.3, 1)
    expect(received).toBe(5000 - counts.lost + counts.duplicated)
    const numbers = got.map((line) => Number(line.split('@')[0]))
    expect(numbers.some((number, at) => number < (numbers[at - 1] ?? 0))).toBe(true)
    expect((await run(7)).got).toEqual(got)
    expect((await run(8)).got).not.toEqual(got)
  })

  test('take the time that the link takes', async () => {
    const { clock, network, ends } = await mesh(2, { delayMs: [10, 20] })
    const [one, two] = ends
    sendMany(one, 200, two)
    await clock.advance(9.9)
    expect(two.got).toEqual([])
    await clock.advance(10.2)
    expect(two.got).toHaveLength(200)
    network.set({ delayMs: (random) => 50 + random() })
    sendMany(one, 1, two)
    await clock.advance(50)
    expect(two.got).toHaveLength(200)
    await clock.advance(1)
    expect(two.got).toHaveLength(201)
  })

  test('do not cross a partition, a block on one way or a link that is cut', async () => {
    const { clock, network, ends } = await mesh(3)
    const [one, two, three] = ends as [End, End, End]
    const heard = async () => {
      for (const end of ends) end.got.length = 0
      for (const end of ends) end.host.transport.send(bytes(`${end.host.id}`))
      await clock.advance(1)
      return ends.map(({ got }) => got.map((line) => line[0]).join(''))
    }
    network.partition([one.host], [two.host, three.host])
    expect(await heard()).toEqual(['1', '23', '23'])
    network.partition([one.host])
    expect(await heard()).toEqual(['1', '23', '23'])
    network.heal()
    network.block([one.host], [three.host])
    expect(await heard()).toEqual(['123', '123', '23'])
    network.heal()
    network.set({ loss: 1 }, { to: two.host })
    expect(await heard()).toEqual(['123', '', '123'])
    network.set({ loss: 0 }, { from: one.host, to: two.host })
    expect(await heard()).toEqual(['123', '1', '123'])
  })

  test('longer than the link takes vanish', async () => {
    const { clock, ends } = await mesh(2, { datagramBytesMax: 10 })
    ends[0].host.transport.send(new Uint8Array(10), ends[1].host.address)
    ends[0].host.transport.send(new Uint8Array(11), ends[1].host.address)
    await clock.advance(1)
    expect(ends[1].got).toHaveLength(1)
    expect(ends[0].host.counts.blocked).toBe(1)
  })

  test('are dropped when the buffer of a slow reader is full', async () => {
    const { clock, ends } = await mesh(2, {}, { receiveBytesMax: 100 * 769, datagramsPerMs: 10 })
    sendMany(ends[0], 10, ends[1])
    await clock.advance(0.5)
    expect(ends[1].got).toHaveLength(5)
    await clock.advance(10)
    for (let at = 0; at < 300; at++) ends[0].host.transport.send(bytes('x'), ends[1].host.address)
    await clock.advance(100)
    expect(ends[1].host.counts).toMatchObject({ received: 10 + 101, overflowed: 199 })
  })
})

describe('processes', () => {
  test('that are paused take nothing, and go on where they were', async () => {
    const { clock, ends } = await mesh(2, {}, { receiveBytesMax: 50 * 769 })
    const [one, two] = ends
    const fired: number[] = []
    two.host.clock.after(5, () => fired.push(clock.monotonic()))
    two.host.clock.after(6, () => fired.push(-1)).cancel()
    two.host.pause()
    for (let at = 0; at < 60; at++) one.host.transport.send(bytes('x'), two.host.address)
    await clock.advance(100)
    expect({ got: two.got.length, fired }).toEqual({ got: 0, fired: [] })
    two.host.resume()
    expect({ got: two.got.length, fired, lost: two.host.counts.overflowed }).toEqual({
      got: 50,
      fired: [100],
      lost: 10,
    })
  })

  test('that crash are silent for ever', async () => {
    const { clock, ends } = await mesh(2)
    const [one, two] = ends
    let fired = false
    two.host.clock.after(1, () => {
      fired = true
    })
    sendMany(one, 1, two)
    two.host.crash()
    two.host.transport.send(bytes('from the dead'))
    await clock.advance(10)
    expect({ fired, got: [one.got, two.got] }).toEqual({ fired: false, got: [[], []] })
    await expect(Promise.all([one.host.transport.connect(two.host.address), clock.advance(2000)])).rejects.toThrow(
      'refused',
    )
  })

  test('have walls that are wrong', async () => {
    const { clock, ends } = await mesh(1)
    ends[0].host.skewWall(-60_000)
    expect(ends[0].host.clock.wall()).toBe(clock.wall() - 60_000)
    expect(ends[0].host.clock.monotonic()).toBe(clock.monotonic())
  })
})

describe('streams', () => {
  async function pair(link: SimulatedLink = {}) {
    const net = await mesh(2, link)
    const [one, two] = net.ends
    const connecting = one.host.transport.connect(two.host.address)
    await net.clock.advance(10)
    return { ...net, here: await connecting, there: two.streams[0]! }
  }

  test('carry bytes in order, both ways, up to an end', async () => {
    const { clock, here, there } = await pair({ delayMs: [0, 5], loss: 0.5 })
    for (const word of ['a', 'b', 'c']) await here.write(bytes(word))
    here.end()
    await there.write(bytes('back'))
    await clock.advance(20)
    const words: string[] = []
    for (let piece = await there.read(); piece; piece = await there.read()) words.push(text(piece))
    expect(words).toEqual(['a', 'b', 'c'])
    expect(await there.read()).toBeUndefined()
    expect(text((await here.read())!)).toBe('back')
    await expect(here.write(bytes('d'))).rejects.toThrow('ended')
  })

  test('are as fast as asked, and make a writer wait for a reader', async () => {
    const { clock, here, there } = await pair({ streamBytesPerMs: 1000, delayMs: 1 })
    let written = 0
    const write = async () => {
      for (; written < 10; written++) await here.write(new Uint8Array(100_000))
    }
    const writing = write()
    await clock.advance(1000)
    expect(written).toBe(2)
    let read = 0
    const reading = (async () => {
      for (; read < 1_000_000; ) read += (await there.read())!.length
    })()
    await clock.advance(400)
    expect(read).toBeGreaterThan(300_000)
    expect(read).toBeLessThan(1_000_000)
    await clock.advance(1000)
    await Promise.all([writing, reading])
  })

  test('stand still in a partition', async () => {
    const { clock, network, ends, here, there } = await pair()
    network.partition([ends[0].host])
    await here.write(bytes('late'))
    let read: string | undefined
    const reading = there.read().then((piece) => {
      read = text(piece!)
    })
    await clock.advance(1000)
    expect(read).toBeUndefined()
    network.heal()
    await clock.advance(100)
    await reading
    expect(read).toBe('late')
  })

  test('break: by hand, after so many bytes, with their host; not when it vanishes silently', async () => {
    const { network, ends, here, there } = await pair()
    network.cutStreams(ends[0].host)
    await expect(there.read()).rejects.toThrow('broke')
    await expect(here.write(bytes('x'))).rejects.toThrow('broke')

    const short = await pair({ streamBytesMax: 5 })
    await short.here.write(bytes('12345'))
    await short.here.write(bytes('6'))
    await short.clock.advance(1)
    expect(text((await short.there.read())!)).toBe('12345')
    await expect(short.there.read()).rejects.toThrow('broke')

    const killed = await pair()
    killed.ends[0].host.crash()
    await expect(killed.there.read()).rejects.toThrow('broke')

    const vanished = await pair()
    vanished.ends[0].host.crash(true)
    let told = false
    void vanished.there.read().finally(() => {
      told = true
    })
    await vanished.clock.advance(10_000)
    expect(told).toBe(false)
  })

  test('to nobody are given up', async () => {
    const { clock, network, ends } = await mesh(2)
    network.partition([ends[0].host])
    await expect(
      Promise.all([ends[0].host.transport.connect(ends[1].host.address), clock.advance(2000)]),
    ).rejects.toThrow('no answer')
  })
})

describe.each([true, false])('it keeps the contract of Transport, multicast %s', (multicast) => {
  for (const { name, run } of transportContract)
    test(name, async () => {
      const clock = manualClock()
      const network = new SimulatedNetwork(clock, { seed: 1, multicast })
      await run({ make: () => network.host().transport, delivered: () => clock.advance(1) })
    })
})
