/** Primaries that are replaced while thousands of requests a second go on: by hand, by Sentinel, in a cluster. Rows: docs/outages.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FaultyProxy } from '../../tools/servers/proxy.ts'
import { startProxy } from '../../tools/servers/proxy.ts'
import { type RedisServer, redisPrograms } from '../../tools/servers/redis.ts'
import { type RedisCluster, startCluster } from '../../tools/servers/redis-cluster.ts'
import { inStep, type Replicated, startReplicated } from '../../tools/servers/redis-replicated.ts'
import { type SentinelGroup, startSentinel } from '../../tools/servers/redis-sentinel.ts'
import { expectHarmless, expectOutage } from './outages/expectations.ts'
import { clusterStores, sentinelStores, singleStores } from './outages/stores.ts'
import { runTrial } from './outages/trial.ts'

const PER_SECOND = 2000

// A vote among sentinels may have to be held again.
vi.setConfig({ testTimeout: 60_000 })

describe.each(redisPrograms())('%s', (program) => {
  describe('Sentinel', () => {
    let group: SentinelGroup
    beforeAll(async () => {
      group = await startSentinel({ program })
    })
    afterEach(async () => {
      const primary = await group.primary()
      for (const server of group.redis.servers.filter(({ pid }) => pid === 0)) {
        await server.restart()
        await server.command('REPLICAOF', '127.0.0.1', primary.port)
        await inStep(server)
      }
    })
    afterAll(() => group.destroy())

    const store = (client: string) => () => sentinelStores[client]!(group)
    // Clients of the application's own ask the sentinels again only now and then, and when they are sent away: docs/outages.md.
    const recoveryMsMax = (client: string) => (client === 'a URL' ? undefined : Number.POSITIVE_INFINITY)

    test.each(Object.keys(sentinelStores))('promotes a replica when the primary is killed: %s', async (client) => {
      let before: RedisServer | undefined
      const strike = async () => {
        before = await group.primary()
        await before.kill9()
      }
      const fault = { strike, mend: () => group.promoted(before!), primary: group.primary }
      expectOutage(await runTrial({ fault, perSecond: PER_SECOND, store: store(client) }), /./, recoveryMsMax(client))
    })

    // iovalkey and ioredis of the application's own stay with the old primary until Sentinel makes it a replica: docs/outages.md.
    test.each(['node-redis', 'a URL'])('promotes a replica because it is told to: %s', async (client) => {
      const fault = { strike: group.failover, mend: () => sleep(0), primary: group.primary }
      expectHarmless(await runTrial({ fault, perSecond: PER_SECOND, store: store(client) }), recoveryMsMax(client))
    })
  })

  describe('a cluster', () => {
    let cluster: RedisCluster
    beforeAll(async () => {
      cluster = await startCluster({ program })
    })
    afterEach(async () => {
      const dead = cluster.servers.filter(({ pid }) => pid === 0)
      await Promise.all(dead.map((server) => server.restart()))
      await Promise.all(dead.map(inStep))
      await cluster.healthy()
    })
    afterAll(() => cluster.destroy())

    const store = (client: string) => () => clusterStores[client]!(cluster.addresses)

    test.each(Object.keys(clusterStores))('a replica takes over when its primary is killed: %s', async (client) => {
      const primary = await cluster.ownerOf(0)
      const replica = await cluster.replicaOf(primary)
      const fault = { strike: () => primary.kill9(), mend: () => cluster.promoted(replica) }
      expectOutage(await runTrial({ fault, perSecond: PER_SECOND, store: store(client) }), /./)
    })

    test.each(Object.keys(clusterStores))('a replica takes over because it is told to: %s', async (client) => {
      const replica = await cluster.replicaOf(await cluster.ownerOf(0))
      const fault = { strike: () => cluster.failover(replica), mend: () => sleep(0) }
      expectHarmless(await runTrial({ fault, perSecond: PER_SECOND, store: store(client) }))
    })

    test.each(Object.keys(clusterStores))('slots move to another primary, MOVED and ASK: %s', async (client) => {
      const name = `slots-${Object.keys(clusterStores).indexOf(client)}`
      const slots = await Promise.all(Array.from({ length: 20 }, (_, at) => cluster.slotOf(`${name}:row${at}`)))
      const strike = async () => {
        for (const slot of slots) {
          const owner = await cluster.ownerOf(slot)
          const others = await Promise.all([0, 8000, 16_000].map((other) => cluster.ownerOf(other)))
          await cluster.moveSlot(slot, others.find((other) => other !== owner)!, () => sleep(20))
        }
      }
      expectHarmless(
        await runTrial({
          fault: { strike, mend: () => sleep(0) },
          perSecond: PER_SECOND,
          store: store(client),
          cache: { name },
        }),
      )
    })
  })

  describe('a replica that had not yet heard of deletes is promoted', () => {
    let group: Replicated
    let link: FaultyProxy
    let entrance: FaultyProxy
    beforeAll(async () => {
      group = await startReplicated({ program, replicas: 1 })
      link = await startProxy(group.primary)
      entrance = await startProxy(group.primary)
    })
    afterEach(async () => {
      await link.heal()
      await Promise.all(group.servers.map((server) => server.pid === 0 && server.restart()))
    })
    afterAll(async () => {
      await Promise.all([link.close(), entrance.close(), group.destroy()])
    })

    test.each(Object.keys(singleStores))('who deleted tells it again: %s', async (client) => {
      let [primary, replica] = group.servers as [RedisServer, RedisServer]
      if ((await primary.info('role')) === 'slave') [primary, replica] = [replica, primary]
      entrance.retarget(primary.port)
      link.retarget(primary.port)
      await replica.command('REPLICAOF', '127.0.0.1', link.port)
      await inStep(replica)
      const strike = async () => {
        link.swallow('toClient')
        await sleep(300) // deletes that only the primary knows
        const [had, has] = await Promise.all([primary, replica].map((server) => server.info('master_repl_offset')))
        expect(Number(had)).toBeGreaterThan(Number(has))
        await primary.kill9()
        await replica.command('REPLICAOF', 'NO', 'ONE')
        entrance.retarget(replica.port)
      }
      const outcome = await runTrial({
        fault: { strike, mend: () => sleep(0) },
        store: () => singleStores[client]!(entrance),
      })
      expectOutage(outcome, /./)
    })
  })
})
