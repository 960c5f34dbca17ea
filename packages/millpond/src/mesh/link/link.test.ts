import { describe, expect, test } from 'vitest'
import { MeshError, OptionError } from '../../core/errors.ts'
import { SimulatedNetwork } from '../../testing/simulated-network.ts'
import { Cluster, deaths, gotOf, type Member, met, talk } from './cluster.fixture.ts'
import { openLink } from './open-link.ts'
import { PacketType } from './packet-type.ts'

describe('messages', () => {
  test('come to all others once, and never to the sender', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    expect(one.send()).toBe(1)
    expect(one.send()).toBe(2)
    cluster.clock.advanceNow(1)
    expect([one, two, three].map((member) => gotOf(member, one))).toEqual([0, 2, 2])
    expect(one.link.sent()).toBe(2)
  })

  test('come while earlier ones are missing', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    cluster.network.set({ loss: 1 }, { from: one.host })
    one.send()
    cluster.network.set({ loss: 0 }, { from: one.host })
    one.send()
    cluster.clock.advanceNow(0.5)
    expect(two.got.get(one.link.self)).toEqual([undefined, 1])
    cluster.clock.advanceNow(4)
    expect(two.got.get(one.link.self)).toEqual([1, 1])
    expect(two.losses).toBe(1)
  })

  test('the last one is missed within 10 ms, though nothing follows it', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    cluster.network.set({ loss: 1 }, { from: one.host })
    one.send()
    cluster.network.set({ loss: 0 }, { from: one.host })
    cluster.clock.advanceNow(10)
    expect(gotOf(two, one)).toBe(1)
  })

  test.each([1400, 600, 8900])(
    'of up to 64 KiB go in parts of %i bytes, also where some are lost',
    async (datagramBytesMax) => {
      const cluster = new Cluster({ seed: 7, link: { loss: 0.2, reordering: 0.5 } })
      const [one, two] = (await cluster.startMany(2, { datagramBytesMax })) as [Member, Member]
      cluster.until(() => cluster.isWhole, 5000)
      expect(one.link.datagramBodyBytes).toBe(datagramBytesMax - 36)
      for (const bytes of [one.link.datagramBodyBytes, one.link.datagramBodyBytes + 1, 10_000, 65_535, 65_536])
        one.send(bytes)
      cluster.clock.advanceNow(500)
      expect(gotOf(two, one)).toBe(5)
      expect(two.link.stats().peers[0]).toMatchObject({ reassemblyBytes: 0, missing: 0 })
      expect(() => one.link.send(new Uint8Array(65_537))).toThrow(OptionError)
    },
  )

  test('go on when the path carries less than before, or more', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    for (const bytes of [1400, 508, 9000]) {
      one.host.transport.datagramBytesMax = bytes
      one.send(5000)
      one.send(one.link.datagramBodyBytes)
      talk(cluster, [one], 5)
    }
    cluster.clock.advanceNow(50)
    expect(cluster.faults()).toEqual([])
    expect(gotOf(two, one)).toBe(21)
  })

  test('that the path is too narrow for are given up, and told as lost', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    cluster.network.set({ datagramBytesMax: 1000 })
    one.send(1300)
    talk(cluster, [one], 10)
    cluster.clock.advanceNow(4000)
    expect(two.losses).toBe(2)
    expect(gotOf(two, one)).toBe(10)
    expect(one.link.acknowledged()).toBe(11)
  })
})

describe('repair', () => {
  test('a loss costs a request and one datagram', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    talk(cluster, [one], 50)
    cluster.network.set({ loss: 1 }, { to: two.host })
    talk(cluster, [one], 3)
    cluster.network.set({ loss: 0 }, { to: two.host })
    talk(cluster, [one], 50)
    cluster.clock.advanceNow(100)
    expect(two.link.stats().peers[0]).toMatchObject({ received: 103, missed: 3, repaired: 3, lost: 0, naksSent: 1 })
    expect(one.link.stats().peers[0]).toMatchObject({ naksReceived: 1, retransmitted: 3 })
  })

  test('what many miss is asked for by few, and sent once to all', async () => {
    const { cluster, members } = await met(20)
    const [one, ...others] = members
    talk(cluster, [one], 20)
    cluster.network.set({ loss: 1 }, { from: one.host })
    one.send()
    cluster.network.set({ loss: 0 }, { from: one.host })
    talk(cluster, [one], 50)
    const stats = one.link.stats()
    expect(others.every((member) => gotOf(member, one) === 71)).toBe(true)
    expect(stats.peers.reduce((sum, peer) => sum + peer.naksReceived, 0)).toBeLessThanOrEqual(8)
    expect(stats.retransmittedToAll).toBeLessThanOrEqual(2)
    const suppressed = others.map((member) => member.link.stats().peers.find(({ id }) => id === one.link.self)!)
    expect(suppressed.filter((peer) => peer.naksSuppressed > 0).length).toBeGreaterThan(10)
  })

  test('what four miss and ask for, each by itself, is sent twice: to the first, then to all', async () => {
    const { cluster, members } = await met(5)
    const [one, ...others] = members
    let sends = 0
    const { transport } = one.host
    const send = transport.send.bind(transport)
    transport.send = (datagram, to) => {
      if (datagram[3] === PacketType.message) sends++
      send(datagram, to)
    }
    cluster.network.set({ loss: 1 }, { from: one.host })
    one.send()
    cluster.network.set({ loss: 0 }, { from: one.host })
    talk(cluster, [one], 10)
    expect(others.map((member) => gotOf(member, one))).toEqual([11, 11, 11, 11])
    expect(sends).toBeLessThanOrEqual(11 + 2)
  })

  test('what is gone from the ring is told as lost at once', async () => {
    const { cluster, members } = await met(2, { limits: { ringDatagrams: 64 } })
    const [one, two] = members
    cluster.network.set({ loss: 1 }, { to: two.host })
    for (let at = 0; at < 100; at++) one.send()
    cluster.network.set({ loss: 0 }, { to: two.host })
    cluster.clock.advanceNow(5)
    expect(two.losses).toBe(2)
    cluster.clock.advanceNow(100)
    expect(gotOf(two, one)).toBe(64)
    expect(cluster.overflows()).toEqual([])
  })

  test('in 200 ms without anything, nothing is lost for good', async () => {
    const { cluster, members } = await met(3)
    const [one, two] = members
    cluster.network.set({ loss: 1 })
    talk(cluster, [one, two], 200)
    cluster.network.set({ loss: 0 })
    cluster.until(() => members.every((member) => member === one || gotOf(member, one) === 200), 60)
    expect(members.map(({ losses }) => losses)).toEqual([2, 2, 2])
  })

  test.each([
    ['heartbeats', PacketType.heartbeat],
    ['requests', PacketType.nak],
    ['confirmations', PacketType.status],
  ])('without %s messages still come or are told as lost, and bounds hold', async (_, type) => {
    const { cluster, members } = await met(3, { limits: { ringDatagrams: 256 } })
    for (const { host } of members) {
      const { transport } = host
      const send = transport.send.bind(transport)
      transport.send = (datagram, to) => void (datagram[3] !== type && send(datagram, to))
    }
    cluster.network.set({ loss: 0.1 })
    talk(cluster, members, 3000)
    expect(cluster.overflows()).toEqual([])
    cluster.clock.advanceNow(3000)
    cluster.network.set({ loss: 0 })
    for (const member of members) member.send()
    cluster.clock.advanceNow(5000)
    expect(cluster.faults()).toEqual([])
  })
})

describe('a bad network', () => {
  test.each([0.01, 0.05, 0.1, 0.25, 0.5])('that loses %f of everything loses nothing for good', async (loss) => {
    for (const count of [2, 6]) {
      const { cluster, members } = await met(count, { seed: count, link: { loss } })
      talk(cluster, members, 200)
      cluster.clock.advanceNow(3000)
      expect(cluster.faults(), `${count} peers`).toEqual([])
      if (loss < 0.5)
        expect(
          members.map(({ losses }) => losses),
          `${count} peers`,
        ).toEqual(members.map(() => count - 1))
    }
  })

  test('that brings everything three times, half of it late, is no trouble', async () => {
    const { cluster, members } = await met(5, { link: { reordering: 0.5, reorderingMs: 10 } })
    for (const { host } of members) {
      const { transport } = host
      const send = transport.send.bind(transport)
      transport.send = (datagram, to) => {
        for (let copies = 3; copies > 0; copies--) send(datagram, to)
      }
    }
    talk(cluster, members, 1000)
    cluster.clock.advanceNow(1000)
    expect(cluster.faults()).toEqual([])
    expect(members.map(({ losses }) => losses)).toEqual([4, 4, 4, 4, 4])
    expect(members[0].link.stats().packets.replayed).toBeGreaterThan(5000)
  })

  test('that damages one datagram in ten is one that loses them', async () => {
    const { cluster, members } = await met(3, { link: { corruption: 0.1 } })
    talk(cluster, members, 1000)
    cluster.clock.advanceNow(1000)
    expect(cluster.faults()).toEqual([])
    const { packets } = members[0].link.stats()
    expect(packets.forged + packets.malformed + packets.otherMesh).toBeGreaterThan(100)
  })

  test('that comes and goes each second for a minute leaves nothing behind', async () => {
    const { cluster, members } = await met(4)
    for (let at = 0; at < 30; at++) {
      cluster.network.partition([members[0].host, members[1].host])
      talk(cluster, members, 20)
      cluster.clock.advanceNow(980)
      cluster.network.heal()
      talk(cluster, members, 20)
      cluster.clock.advanceNow(980)
    }
    cluster.until(() => cluster.isWhole, 2000)
    cluster.clock.advanceNow(3000)
    expect(cluster.faults()).toEqual([])
    expect(cluster.overflows()).toEqual([])
    expect(deaths(cluster)).toEqual([])
  })
})

describe('flow control', () => {
  test('nothing is sent further than the slowest peer takes, and room is told', async () => {
    const { cluster, members } = await met(3, { limits: { ringDatagrams: 64 } })
    const [one, two] = members
    two.host.pause()
    let sent = 0
    for (; one.link.room() > 0; sent++) one.send()
    expect(sent).toBe(32)
    cluster.clock.advanceNow(20)
    expect(one.link.room()).toBe(0)
    const { rooms } = one
    two.host.resume()
    cluster.clock.advanceNow(50)
    expect(one.rooms).toBeGreaterThan(rooms)
    expect(one.link.acknowledged()).toBe(32)
    expect(one.link.room()).toBe(32)
  })

  test('a peer that does not hear us is slow after 2 s, holds nobody up, and catches up', async () => {
    const { cluster, members } = await met(3, { limits: { ringDatagrams: 128 } })
    const [one, two, three] = members
    cluster.network.block([one.host], [two.host])
    talk(cluster, [one], 2500)
    expect(one.link.peers().filter(({ slow }) => slow)).toHaveLength(1)
    const got = gotOf(three, one)
    talk(cluster, [one], 500)
    expect(gotOf(three, one) - got).toBe(500)
    cluster.network.heal()
    talk(cluster, [one], 1000)
    cluster.clock.advanceNow(1000)
    expect(one.link.peers().filter(({ slow }) => slow)).toEqual([])
    expect(cluster.faults()).toEqual([])
    expect(two.losses).toBeGreaterThan(2)
  })

  test('a peer whose buffer overflows slows the sender down instead of being lost', async () => {
    const cluster = new Cluster({ seed: 5 })
    const fast = await cluster.start('fast')
    const slow = await cluster.start('slow', { receiveBytesMax: 212_992, datagramsPerMs: 20 })
    cluster.until(() => cluster.isWhole, 1000)
    for (let at = 0; at < 500; at++) {
      for (let burst = 0; burst < 100 && fast.link.room() > 0; burst++) fast.send(1000)
      cluster.clock.advanceNow(1)
    }
    cluster.clock.advanceNow(500)
    expect(cluster.faults()).toEqual([])
    expect(slow.losses).toBe(1)
    // It takes 20,000 a second, repairs and all.
    const taken = gotOf(slow, fast)
    expect(taken).toBeGreaterThan(6000)
    expect(slow.host.counts.overflowed).toBeLessThan(taken / 3)
  })

  test('a confirmation that was lost is asked for again, though nothing more is sent', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    cluster.network.set({ loss: 1 }, { from: two.host })
    one.send()
    cluster.clock.advanceNow(25)
    expect(one.link.acknowledged()).toBe(0)
    cluster.network.set({ loss: 0 }, { from: two.host })
    cluster.clock.advanceNow(50)
    expect(one.link.acknowledged()).toBe(1)
  })

  test('acknowledged never goes back, though who comes may not have what others have', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { cluster, members } = await met(2, { seed })
      const [one] = members
      for (let at = 0; at < 400; at++) {
        one.send()
        // It takes a while until its answer comes through; it is owed everything since it was answered.
        if (at === 50) cluster.network.set({ loss: 0.8 }, { from: (await cluster.start('late')).host })
        if (at === 300) cluster.network.set({ loss: 0 }, { from: cluster.members[2]!.host })
        const before = one.link.acknowledged()
        cluster.clock.advanceNow(1)
        expect(one.link.acknowledged(), `seed ${seed}`).toBeGreaterThanOrEqual(before)
      }
      cluster.clock.advanceNow(100)
      expect(one.link.acknowledged(), `seed ${seed}`).toBe(400)
      expect(cluster.faults()).toEqual([])
    }
  })

  test('with 32 peers an update costs what it costs with 3', async () => {
    const costs: number[] = []
    for (const count of [3, 32]) {
      const { cluster, members } = await met(count, { seed: 2 })
      const [one, ...others] = members
      const before = others.map((member) => member.link.stats().packets.sealed)
      const packets = one.link.stats().packets.sealed
      talk(cluster, [one], 2000)
      const answers = others.reduce((sum, member, at) => sum + member.link.stats().packets.sealed - before[at]!, 0)
      const keepAlives = 4 * others.length
      costs.push((one.link.stats().packets.sealed - packets + answers - keepAlives) / 2000)
    }
    const [few, many] = costs as [number, number]
    expect(many).toBeLessThan(few * 1.2)
    expect(many).toBeLessThan(1.3)
  })
})

describe('hints and streams', () => {
  test('a hint goes to one or to all, once', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    one.link.hint(Buffer.from('all'))
    one.link.hint(Buffer.from('you'), two.link.self)
    one.link.hint(Buffer.alloc(5000))
    one.link.hint(Buffer.from('nobody'), 17)
    cluster.clock.advanceNow(1)
    expect([one.hints, two.hints, three.hints]).toEqual([[], ['all', 'you'], ['all']])
  })

  test('a stream is opened to a live peer, who is told by whom', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    const opening = one.link.connect(two.link.self)
    await cluster.clock.advance(10)
    const stream = await opening
    const other = two.streams[0]!
    await stream.write(Buffer.from('there'))
    await other.write(Buffer.from('back'))
    stream.end()
    await cluster.clock.advance(10)
    const read = [await other.read(), await other.read(), await stream.read()]
    expect(read.map((message) => message && Buffer.from(message).toString())).toEqual(['there', undefined, 'back'])
    await expect(one.link.connect(17)).rejects.toThrow(MeshError)
  })

  test('a stream of a stranger is closed', async () => {
    const { cluster, members } = await met(2)
    const stranger = cluster.network.host()
    await stranger.transport.open({ datagram() {}, stream() {}, failed() {} })
    const opening = stranger.transport.connect(members[0].host.address)
    await cluster.clock.advance(1)
    const stream = await opening
    void stream.write(Buffer.alloc(40, 1)).catch(() => {})
    const end = stream.read().catch(() => undefined)
    await cluster.clock.advance(10)
    expect(await end).toBeUndefined()
    expect(members[0].streams).toEqual([])
  })
})

test('options are checked by name', async () => {
  const { cluster, members } = await met(2)
  const { host } = members[0]
  const options = { transport: host.transport, clock: host.clock, random: cluster.random } as never as Parameters<
    typeof openLink
  >[0]
  for (const name of ['', 'n'.repeat(201)]) {
    await expect(openLink({ ...options, name }, members[0])).rejects.toThrow(
      expect.objectContaining({ option: 'name' }),
    )
  }
  const narrow = new SimulatedNetwork(cluster.clock, { seed: 1 }).host({ datagramBytesMax: 400 }).transport
  await expect(openLink({ ...options, name: 'n', transport: narrow }, members[0])).rejects.toThrow(OptionError)
})
