import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test } from 'vitest'
import { busContract } from '../testing/contracts-bus.ts'
import { type Member, MeshCluster } from './mesh.fixture.ts'

let cluster: MeshCluster

afterEach(() => {
  expect(cluster.errors).toEqual([])
})

describe('a mesh', () => {
  test('what is set reaches all; who comes late has it before joinMesh resolves', async () => {
    cluster = new MeshCluster(1)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const map = a.mesh.map<number>('prices')
    for (let at = 0; at < 1000; at++) map.set(`k${at}`, at)
    await cluster.until(map.settled())
    expect(b.mesh.map<number>('prices').get('k999')).toBe(999)
    const late = await cluster.join()
    expect(new Map(late.mesh.map('prices'))).toEqual(new Map(map))
    late.mesh.map('prices').delete('k0')
    await cluster.until(late.mesh.settled())
    expect([a, b].map(({ mesh }) => mesh.map('prices').has('k0'))).toEqual([false, false])
  })

  test('all orders in which three come: nobody is left out', async () => {
    cluster = new MeshCluster(2)
    const members: Member[] = []
    for (let at = 0; at < 3; at++) {
      members.push(await cluster.join())
      for (const [number, { mesh }] of members.entries()) mesh.map('prices').set(`${at}.${number}`, at)
      await cluster.clock.advance(20)
    }
    await cluster.untilTrue(() => cluster.isEqual('prices'))
    expect(members.map(({ mesh }) => mesh.map('prices').size)).toEqual([6, 6, 6])
  })

  test('who is alone has joined soon, and what it writes is settled', async () => {
    cluster = new MeshCluster(10)
    const { mesh } = await cluster.join()
    expect(cluster.clock.monotonic()).toBeLessThan(1000)
    const map = mesh.map('prices').set('k', 1)
    await cluster.until(map.settled(), 1000)
    expect(mesh.status()).toMatchObject({ alive: 0, blocked: 0 })
  })

  test('events are published on diagnostics channels, with mesh and map', async () => {
    cluster = new MeshCluster(11)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const heard: unknown[] = []
    const hear = (message: unknown): void => void heard.push(message)
    subscribe('millpond:mesh:set', hear)
    a.mesh.map('prices').set('k', 1)
    await cluster.until(a.mesh.settled())
    unsubscribe('millpond:mesh:set', hear)
    const origin = a.mesh.id
    expect(heard).toEqual([
      { mesh: 'test', map: 'prices', key: 'k', origin, local: true },
      { mesh: 'test', map: 'prices', key: 'k', origin, local: false },
    ])
    expect(b.mesh.peers().map(({ name }) => name)).toEqual(['p1'])
  })

  test('a map is one object; other options are refused, here and where a peer has them', async () => {
    cluster = new MeshCluster(3)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const map = a.mesh.map('prices', { sync: 'part', maxEntries: 10 })
    expect(a.mesh.map('prices')).toBe(map)
    expect(a.mesh.map('prices', { sync: 'part', maxEntries: 10 })).toBe(map)
    expect(() => a.mesh.map('prices', { sync: 'full' })).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    expect(() => a.mesh.map('')).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    map.set('k', 1)
    await cluster.until(map.settled())
    expect(() => b.mesh.map('prices')).toThrow(expect.objectContaining({ code: 'ERR_MESH' }))
  })

  test('a value of megabytes', async () => {
    cluster = new MeshCluster(4)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const value = { text: 'x'.repeat(3_000_000) }
    a.mesh.map('prices').set('k', value)
    b.mesh.map('prices')
    await cluster.untilTrue(() => b.mesh.map('prices').has('k'), 5000)
    expect(b.mesh.map('prices').get('k')).toEqual(value)
  })

  test('status, checksums and dropping copies, of one peer and of all, as data', async () => {
    cluster = new MeshCluster(5)
    const [a, b, c] = (await cluster.joinMany(3)) as [Member, Member, Member]
    a.mesh.map('prices').set('k', 1)
    await cluster.until(a.mesh.settled())
    b.mesh.map('prices').get('k')
    const status = await cluster.until(a.mesh.statusOf(b.mesh.id))
    expect(status).toMatchObject({ id: b.mesh.id, peer: 'p2', mesh: 'test', alive: 2, malformed: 0 })
    expect(status.maps.prices).toMatchObject({ size: 1, hits: 1, misses: 0, received: 1, applied: 1, written: 0 })
    expect(status.maps.prices!.delayCounts.reduce((sum, count) => sum + count, 0)).toBe(1)
    expect(status.link.peers).toHaveLength(2)
    const all = await cluster.until(a.mesh.clusterStatus())
    expect(all.map(({ peer }) => peer).sort()).toEqual(['p1', 'p2', 'p3'])
    const sums = await cluster.until(c.mesh.checksums('prices'))
    expect(new Set(sums.map(({ checksum }) => checksum)).size).toBe(1)
    expect(sums.map(({ size }) => size)).toEqual([1, 1, 1])
    await cluster.until(a.mesh.clear('prices', b.mesh.id))
    expect([a, b].map(({ mesh }) => mesh.map('prices').size)).toEqual([1, 0])
    await cluster.untilTrue(() => b.mesh.map('prices').has('k'), 10_000)
    await cluster.until(a.mesh.clear('prices'))
    await cluster.until(a.mesh.settled())
    expect([a, b, c].map(({ mesh }) => mesh.map('prices').size)).toEqual([0, 0, 0])
    await expect(cluster.until(a.mesh.statusOf(12345))).rejects.toMatchObject({ code: 'ERR_MESH' })
    await expect(cluster.until(a.mesh.clear('unknown', b.mesh.id))).rejects.toMatchObject({ code: 'ERR_MESH' })
    cluster.errors.length = 0
  })

  test('who leaves has said what it had to say; after that it can be read only', async () => {
    cluster = new MeshCluster(6)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const map = a.mesh.map('prices')
    for (let at = 0; at < 20_000; at++) map.set(`k${at}`, at)
    map.set('k', 1)
    await cluster.leave(a)
    await cluster.untilTrue(() => b.mesh.peers()[0]!.state === 'left')
    expect(b.mesh.map('prices').get('k')).toBe(1)
    expect(b.mesh.map('prices').size).toBe(20_001)
    expect(map.get('k')).toBe(1)
    expect(() => map.set('k', 2)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    expect(() => a.mesh.map('prices')).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    await expect(map.settled()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await a.mesh.leave()
  })

  test('who waits for what never goes out is told so by leave', async () => {
    cluster = new MeshCluster(13, { limits: { ringDatagrams: 64, windowDatagrams: 16 } })
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    const map = a.mesh.map('prices')
    cluster.network.partition([a.host], [b.host])
    for (let at = 0; at < 20_000; at++) map.set(`k${at}`, at)
    const settled = map.settled().catch(({ code }) => code)
    await cluster.leave(a)
    expect(await cluster.until(settled, 1000)).toBe('ERR_CLOSED')
  })

  test('two sides of a partition agree again: later writes win, deletions hold', async () => {
    cluster = new MeshCluster(7)
    const members = (await cluster.joinMany(4)) as [Member, Member, Member, Member]
    const maps = members.map(({ mesh }) => mesh.map<string>('prices'))
    for (let at = 0; at < 200; at++) maps[0]!.set(`k${at}`, 'before')
    await cluster.until(maps[0]!.settled())
    cluster.network.partition([members[0].host, members[1].host], [members[2].host, members[3].host])
    await cluster.clock.advance(30_000)
    for (let at = 0; at < 100; at++) maps[1]!.set(`k${at}`, 'one side')
    await cluster.clock.advance(10)
    for (let at = 50; at < 150; at++) maps[2]!.set(`k${at}`, 'other side')
    for (let at = 150; at < 200; at++) maps[3]!.delete(`k${at}`)
    await cluster.clock.advance(1000)
    cluster.network.heal()
    await cluster.untilTrue(() => cluster.isWhole && cluster.isEqual('prices'), 20_000)
    for (const map of maps) {
      expect(map.size).toBe(150)
      expect([map.get('k49'), map.get('k50'), map.get('k149')]).toEqual(['one side', 'other side', 'other side'])
    }
  })

  test('a clock that is hours wrong is told of, and does not carry the others along', async () => {
    cluster = new MeshCluster(8)
    const [a, b] = (await cluster.joinMany(2)) as [Member, Member]
    a.host.skewWall(7_200_000)
    const drifts: number[] = []
    b.mesh.on('drift', ({ aheadMs }) => drifts.push(aheadMs))
    for (let at = 0; at < 10; at++) {
      a.mesh.map('prices').set('k', at)
      await cluster.clock.advance(100)
    }
    expect(drifts).toHaveLength(1)
    expect(drifts[0]).toBeGreaterThan(7_100_000)
    b.mesh.map('prices').set('k', 'the last word')
    await cluster.until(b.mesh.settled())
    expect(a.mesh.map('prices').get('k')).toBe('the last word')
  })
})

describe('its bus', () => {
  test.each(busContract.map((check) => [check.name, check] as const))('%s', async (_, check) => {
    cluster = new MeshCluster(9)
    const hosts = new Map<object, Member>()
    const cut: Member[] = []
    const subject = {
      async connect() {
        const member = await cluster.join()
        await cluster.untilTrue(() => cluster.isWhole)
        // Who was met has been asked where its messages stand.
        await cluster.clock.advance(200)
        const bus = member.mesh.bus()
        hosts.set(bus, member)
        return bus
      },
      delivered: () => cluster.clock.advance(1000).then(() => {}),
      async cut(end: object) {
        cut.push(hosts.get(end)!)
        cluster.network.partition(cut.map(({ host }) => host))
        // Until it is taken for dead: what is lost for less is sent again.
        await cluster.untilTrue(() => hosts.get(end)!.mesh.status().alive === 0)
      },
      async heal() {
        cluster.network.heal()
        await cluster.untilTrue(() => cluster.isWhole)
      },
    }
    await check.run(subject as never)
  })
})
