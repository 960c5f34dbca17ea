import { describe, expect, test } from 'vitest'
import { ClosedError } from '../../core/errors.ts'
import { Cluster, deaths, gotOf, type Member, met, talk } from './cluster.fixture.ts'
import { LinkFlags, PacketType } from './packet-type.ts'

describe('membership', () => {
  test('a process that is killed is dead within 2 s for all, whenever it happens', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { cluster, members } = await met(5, { seed })
      cluster.crash(members[1])
      cluster.clock.advanceNow(2000)
      expect(deaths(cluster), `seed ${seed}`).toHaveLength(4)
    }
  })

  test('what a process that died owed is told as lost: somebody else may have it', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    cluster.network.set({ loss: 1 }, { from: one.host, to: two.host })
    one.send()
    cluster.network.set({ loss: 0 }, { from: one.host, to: two.host })
    one.send()
    cluster.clock.advanceNow(0.5)
    cluster.crash(one)
    cluster.clock.advanceNow(2000)
    expect([two, three].map(({ losses }) => losses)).toEqual([3, 2])
    expect(two.link.stats().peers.find(({ id }) => id === one.link.self)).toMatchObject({ lost: 1, missing: 0 })
  })

  test.each([0, 0.05])('nobody dies of a second of blocked event loop; loss %f', async (loss) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { cluster, members } = await met(5, { seed, link: { loss } })
      members[1].host.pause()
      talk(cluster, [members[0]], 1000)
      members[1].host.resume()
      talk(cluster, [members[0]], 100)
      cluster.clock.advanceNow(3000)
      expect(deaths(cluster), `seed ${seed}`).toEqual([])
      expect(cluster.faults(), `seed ${seed}`).toEqual([])
      expect(members[1].losses).toBe(4)
    }
  })

  test('whose loop was blocked blames nobody', async () => {
    const { cluster, members } = await met(5)
    members[1].host.pause()
    cluster.clock.advanceNow(60_000)
    members[1].host.resume()
    cluster.clock.advanceNow(5000)
    expect(members[1].log.filter((line) => /suspect|dead/.test(line))).toEqual([])
    expect(cluster.isWhole).toBe(true)
  })

  test('a process that starts again under its name replaces the old one at once', async () => {
    const { cluster, members } = await met(4)
    const old = members[1].link.self
    cluster.crash(members[1])
    cluster.clock.advanceNow(50)
    const again = await cluster.start('m1')
    const tookMs = cluster.until(() => cluster.isWhole, 100)
    expect(tookMs).toBeLessThan(10)
    for (const member of cluster.members) {
      if (member !== again)
        expect([member.states.get(old), member.states.get(again.link.self)]).toEqual(['dead', 'alive'])
    }
  })

  test('hundreds of restarts leave no more than the last few behind', async () => {
    const { cluster, members } = await met(2, { limits: { goneMax: 8 } })
    for (let at = 0; at < 500; at++) {
      const guest = await cluster.start('guest')
      cluster.clock.advanceNow(5)
      cluster.crash(guest)
      cluster.clock.advanceNow(5)
    }
    expect(members[0].link.peers().filter(({ state }) => state === 'dead')).toHaveLength(8)
    expect(cluster.overflows()).toEqual([])
  })

  test('a way that is broken for two of them only is bridged by the others, and nobody dies', async () => {
    const { cluster, members } = await met(5)
    const [one, two] = members
    cluster.network.block([one.host], [two.host])
    talk(cluster, [members[2]], 20_000)
    expect(deaths(cluster)).toEqual([])
    cluster.network.block([two.host], [one.host])
    talk(cluster, [members[2]], 20_000)
    expect(deaths(cluster)).toEqual([])
    expect(one.link.peers().find(({ name }) => name === 'm1')!.state).not.toBe('dead')
  })

  test('who is suspected refutes it, also through others', async () => {
    const { cluster, members } = await met(4)
    const [one, two] = members
    const { transport } = one.host
    const send = transport.send.bind(transport)
    let helpless = true
    transport.send = (datagram, to) => {
      if (!helpless || datagram[3] !== PacketType.probe) send(datagram, to)
    }
    cluster.network.block([one.host], [two.host])
    cluster.network.block([two.host], [one.host])
    cluster.until(() => one.states.get(two.link.self) === 'suspect', 2000)
    helpless = false
    expect(cluster.until(() => one.states.get(two.link.self) === 'alive', 300)).toBeGreaterThan(0)
    expect(deaths(cluster).filter((line) => line.includes('m1'))).toEqual([])
  })

  test('news of a suspect that are older than the suspicion do not save it', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    const { transport } = one.host
    const send = transport.send.bind(transport)
    let probes = 0
    transport.send = (datagram, to) => {
      if (datagram[3] === PacketType.probe) probes++
      send(datagram, to)
    }
    cluster.network.set({ delayMs: 450 }, { from: three.host, to: one.host })
    cluster.network.block([one.host], [two.host])
    cluster.network.block([two.host], [one.host])
    cluster.until(() => probes > 0, 2000)
    cluster.clock.advanceNow(2)
    cluster.crash(two)
    cluster.until(() => one.states.get(two.link.self) === 'dead', 1100)
    expect(one.log.at(-2)).toMatch('suspect')
  })

  test.each([1, 30, 600])('after %i s of partition they meet again, and are told to compare', async (seconds) => {
    const { cluster, members } = await met(4)
    const [one, two, three] = members
    cluster.network.partition([one.host, two.host])
    for (let at = 0; at < seconds * 10; at++) {
      for (const member of [one, three]) if (member.link.room() > 0) member.send()
      cluster.clock.advanceNow(100)
    }
    cluster.network.heal()
    cluster.until(() => cluster.isWhole, 1000)
    cluster.clock.advanceNow(3000)
    expect(cluster.faults()).toEqual([])
    expect(three.losses > 3).toBe(seconds > 1)
    expect(cluster.overflows()).toEqual([])
  })

  test("where neither is anybody's seed, those who took each other for dead call each other", async () => {
    const cluster = new Cluster({ seed: 2, multicast: false })
    const first = await cluster.start('m0')
    const [one, two] = [
      await cluster.start('m1', { seeds: [first.host.address] }),
      await cluster.start('m2', { seeds: [first.host.address] }),
    ]
    cluster.until(() => cluster.isWhole, 3000)
    cluster.crash(first)
    cluster.network.partition([one.host])
    cluster.clock.advanceNow(30_000)
    expect([one.sees, two.sees]).toEqual([[], []])
    cluster.network.heal()
    expect(cluster.until(() => cluster.isWhole, 15_000)).toBeGreaterThan(0)
  })

  test('who was not heard, but heard everything, holds nobody up when it is heard again', async () => {
    const { cluster, members } = await met(2)
    const [one, two] = members
    cluster.network.block([two.host], [one.host])
    talk(cluster, [one], 5000)
    expect(one.sees).toEqual([])
    expect(gotOf(two, one)).toBeGreaterThan(4000)
    cluster.network.heal()
    cluster.until(() => one.sees.length === 1, 1000, 0.1)
    expect(cluster.until(() => one.link.room() > 0, 5, 0.1)).toBeLessThan(2)
    talk(cluster, members, 100)
    cluster.clock.advanceNow(500)
    expect(cluster.faults()).toEqual([])
    expect(one.link.acknowledged()).toBe(one.link.sent())
  })

  test('what was sent while they were apart comes by comparing states, not as messages', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    cluster.network.partition([three.host])
    talk(cluster, [one], 5000)
    cluster.network.heal()
    cluster.until(() => cluster.isWhole, 1000)
    talk(cluster, [one], 100)
    cluster.clock.advanceNow(500)
    expect(gotOf(two, one)).toBe(5100)
    expect(gotOf(three, one)).toBeLessThan(200)
    expect(three.link.stats().peers.find(({ id }) => id === one.link.self)!.naksSent).toBe(0)
    expect(cluster.faults()).toEqual([])
  })

  test('good-bye is heard by all, after what was sent has arrived', async () => {
    const { cluster, members } = await met(3, { link: { loss: 0.3 }, seed: 4 })
    const [one, two, three] = members
    for (let at = 0; at < 100; at++) one.send()
    const startMs = cluster.clock.monotonic()
    let tookMs = 0
    const left = one.link.leave().then(() => void (tookMs = cluster.clock.monotonic() - startMs))
    expect(one.link.leave()).toBe(one.link.leave())
    await cluster.clock.advance(600)
    await left
    expect(tookMs).toBeLessThanOrEqual(550)
    expect([two, three].map((member) => gotOf(member, one))).toEqual([100, 100])
    expect([two, three].map((member) => member.states.get(one.link.self))).toEqual(['left', 'left'])
    expect(() => one.send()).toThrow(ClosedError)
    expect(one.link.room()).toBe(0)
    await expect(one.link.connect(two.link.self)).rejects.toThrow(ClosedError)
  })

  test('leaving waits 500 ms at most', async () => {
    const { cluster, members } = await met(2)
    members[1].host.pause()
    members[0].send()
    const left = members[0].link.leave()
    await cluster.clock.advance(530)
    await left
    expect(members[0].link.acknowledged()).toBe(0)
  })

  test('a jump of the wall clock changes nothing', async () => {
    const { cluster, members } = await met(3)
    for (const ms of [3_600_000, -7_200_000]) {
      cluster.clock.jumpWall(ms)
      members[1].host.skewWall(-ms)
      talk(cluster, members, 3000)
    }
    cluster.clock.advanceNow(1000)
    expect(cluster.faults()).toEqual([])
    expect(members.flatMap(({ log }) => log).filter((line) => !line.endsWith('alive'))).toEqual([])
  })
})

describe('meeting', () => {
  test.each([0, 0.3])('in all 120 orders of starting five, loss %f', async (loss) => {
    let seed = 0
    for (const order of permutations([0, 1, 2, 3, 4])) {
      const cluster = new Cluster({ seed: ++seed, link: { loss } })
      for (const at of order) {
        await cluster.start(`m${at}`)
        if (seed % 2 === 0) cluster.clock.advanceNow(Math.floor(cluster.random() * 100))
      }
      cluster.until(() => cluster.isWhole, loss ? 5000 : 10)
    }
    expect(seed).toBe(120)
  })

  test('32 that start in the same millisecond', async () => {
    const cluster = new Cluster({ seed: 3, link: { delayMs: [0.1, 0.5] } })
    await cluster.startMany(32)
    expect(cluster.until(() => cluster.isWhole, 1000)).toBeLessThan(30)
  })

  test('without multicast one seed is enough: friends of a friend meet', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const cluster = new Cluster({ seed, multicast: false, link: { loss: 0.1 } })
      const first = await cluster.start('m0')
      for (let at = 1; at < 6; at++) await cluster.start(`m${at}`, { seeds: [first.host.address] })
      cluster.until(() => cluster.isWhole, 3000)
      talk(cluster, cluster.members, 200)
      cluster.clock.advanceNow(1000)
      expect(cluster.faults(), `seed ${seed}`).toEqual([])
    }
  })

  test('takes both ways: who is only heard is nobody yet', async () => {
    const cluster = new Cluster({ seed: 3 })
    const [one, two] = (await cluster.startMany(2)) as [Member, Member]
    cluster.network.block([one.host], [two.host])
    cluster.clock.advanceNow(5000)
    expect([one.sees, two.sees]).toEqual([[], []])
    cluster.network.heal()
    expect(cluster.until(() => cluster.isWhole, 1000)).toBeLessThan(600)
  })

  test('recordings of a dead process have no effect', async () => {
    const { cluster, members } = await met(3)
    const [one, two, three] = members
    const recorded: Uint8Array[] = []
    const { transport } = two.host
    const send = transport.send.bind(transport)
    transport.send = (datagram, to) => {
      recorded.push(Uint8Array.from(datagram))
      send(datagram, to)
    }
    const guest = await cluster.start('guest')
    talk(cluster, [two], 500)
    cluster.crash(two)
    cluster.clock.advanceNow(30_000)
    const late = await cluster.start('late')
    cluster.clock.advanceNow(1000)
    const before = [one, three, guest, late].map((member) => [member.log.length, member.losses, gotOf(member, two)])
    for (const datagram of recorded)
      for (const member of [one, three, guest, late]) cluster.network.carry(two.host, member.host, datagram)
    cluster.clock.advanceNow(20_000)
    expect([one, three, guest, late].map((member) => [member.log.length, member.losses, gotOf(member, two)])).toEqual(
      before,
    )
    expect(late.link.peers().some(({ name }) => name === two.name)).toBe(false)
    expect(recorded.length).toBeGreaterThan(500)
  })

  test('an answer that was held back until its sender was dead proves nothing', async () => {
    const cluster = new Cluster({ seed: 3 })
    const one = await cluster.start('one')
    const two = await cluster.start('two')
    const held: Uint8Array[] = []
    const { transport } = two.host
    const send = transport.send.bind(transport)
    transport.send = (datagram, to) => {
      const answers = datagram[3] === PacketType.hello && (datagram[4]! & LinkFlags.answers) !== 0
      if (answers) held.push(Uint8Array.from(datagram))
      else send(datagram, to)
    }
    cluster.clock.advanceNow(2000)
    expect([one.sees, held.length > 3]).toEqual([[], true])
    cluster.crash(two)
    cluster.clock.advanceNow(30_000)
    for (const datagram of held) cluster.network.carry(two.host, one.host, datagram)
    cluster.clock.advanceNow(3000)
    expect([one.log, one.losses]).toEqual([[], 0])
  })
})

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}
