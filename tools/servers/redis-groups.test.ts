import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RedisServer, redisPrograms } from './redis.ts'
import { type RedisCluster, startCluster } from './redis-cluster.ts'
import { type Replicated, startReplicated } from './redis-replicated.ts'
import { type SentinelGroup, startSentinel } from './redis-sentinel.ts'
import { ask } from './resp.ts'

describe.each(redisPrograms())('a primary with replicas of %s', (program) => {
  let group: Replicated
  beforeAll(async () => {
    group = await startReplicated({ program, password: 'pond' })
  })
  afterAll(() => group.destroy())

  test('replicas have what the primary has, and refuse writes', async () => {
    await group.primary.command('SET', 'k', 'v')
    await group.caughtUp()
    for (const replica of group.replicas) {
      expect(await replica.command('GET', 'k')).toBe('v')
      await expect(replica.command('SET', 'k', 'w')).rejects.toThrow('READONLY')
    }
  })

  test('a replica is promoted, and the others follow it', async () => {
    const [replica] = group.replicas as [RedisServer]
    await group.promote(replica)
    await replica.command('SET', 'k', 'w')
    await group.caughtUp()
    expect(await group.primary.command('GET', 'k')).toBe('w')
    await expect(group.primary.command('SET', 'k', 'x')).rejects.toThrow('READONLY')
  })
})

describe.each(redisPrograms())('sentinels over %s', (program) => {
  let group: SentinelGroup
  beforeAll(async () => {
    group = await startSentinel({ program })
  })
  afterAll(() => group.destroy())

  test('name the primary, and promote another when they are told', async () => {
    const before = group.redis.primary
    expect(await group.primary()).toBe(before)
    const after = await group.failover()
    expect(after).not.toBe(before)
    // Also in the words that node-redis asks by, which name the old one until the promotion is over.
    const views = group.sentinels.map(({ port }) => ask({ port }, 'SENTINEL', 'MASTER', group.name))
    for (const view of await Promise.all(views)) expect(view).toContain(`${after.port}`)
    expect(await group.primary()).toBe(after)
    await after.command('SET', 'k', 'v')
  })

  test('promote another when the primary is killed', async () => {
    const before = await group.primary()
    await before.kill9()
    const after = await group.promoted(before)
    expect(await after.info('role')).toBe('master')
    expect(await group.primary()).toBe(after)
  })
})

describe.each(redisPrograms())('a cluster of %s', (program) => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ program })
  })
  afterAll(() => cluster.destroy())

  test('serves every slot by one of three primaries, each with a replica', async () => {
    const owners = await Promise.all([0, 8000, 16_383].map((slot) => cluster.ownerOf(slot)))
    expect(owners).toEqual(cluster.servers.slice(0, 3))
    const replicas = await Promise.all(owners.map((owner) => cluster.replicaOf(owner)))
    expect(new Set(replicas)).toEqual(new Set(cluster.servers.slice(3)))
  })

  test('a slot moves with its keys: ASK on the way, MOVED afterwards', async () => {
    const slot = await cluster.slotOf('k')
    const from = await cluster.ownerOf(slot)
    const to = cluster.servers.slice(0, 3).find((server) => server !== from)!
    await from.command('SET', 'k', 'v')
    await cluster.moveSlot(slot, to, async () => {
      await expect(from.command('GET', 'k')).rejects.toThrow(`ASK ${slot} 127.0.0.1:${to.port}`)
      await expect(to.command('GET', 'k')).rejects.toThrow('MOVED')
    })
    await expect(from.command('GET', 'k')).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${to.port}`)
    expect(await to.command('GET', 'k')).toBe('v')
    expect(await cluster.ownerOf(slot)).toBe(to)
  })

  test('a replica takes over when it is told, and when its primary is killed', async () => {
    const primary = await cluster.ownerOf(0)
    const replica = await cluster.replicaOf(primary)
    await cluster.failover(replica)
    expect(await cluster.ownerOf(0)).toBe(replica)
    await expect.poll(() => primary.info('master_link_status'), { timeout: 10_000 }).toBe('up')
    await replica.kill9()
    await cluster.promoted(primary)
    expect(await cluster.ownerOf(0)).toBe(primary)
    await replica.restart()
    await cluster.healthy()
  })
})
