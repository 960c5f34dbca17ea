/** What goes wrong in the suite `outages`, on real servers that each scene starts and ends. */

import type { Store } from 'millpond'
import { failoverStore } from 'millpond/failover'
import { memcachedStore } from 'millpond/memcached'
import { valkeyStore } from 'millpond/valkey'
import { clusterStores, sentinelStores, singleStores } from '../../../../tests/contracts/outages/stores.ts'
import type { Fault } from '../../../../tests/contracts/outages/trial.ts'
import type { ChildServer } from '../../../../tools/servers/child.ts'
import { startMemcached } from '../../../../tools/servers/memcached.ts'
import { type FaultyProxy, startProxy } from '../../../../tools/servers/proxy.ts'
import { type RedisServer, startRedis } from '../../../../tools/servers/redis.ts'
import { startCluster } from '../../../../tools/servers/redis-cluster.ts'
import { inStep, startReplicated } from '../../../../tools/servers/redis-replicated.ts'
import { startSentinel } from '../../../../tools/servers/redis-sentinel.ts'

/** A scene that is set: servers run. */
export interface Scene extends AsyncDisposable {
  readonly store: () => Promise<Store> | Store
  readonly fault: Fault
}

/** Sets a scene, for a client of `singleStores` where there is a choice. */
type Set = (client: string) => Promise<Scene>

/** The scenes, by what happens. */
export const scenes: Readonly<Record<string, Set>> = {
  killed: onServer((server) => ({ strike: () => server.kill9(), mend: () => server.restart() })),
  frozen: onServer((server) => ({ strike: async () => server.pause(), mend: async () => server.resume() })),
  'cut off, then reset': throughProxy((proxy) => ({ strike: async () => proxy.swallow(), mend: () => proxy.heal() })),
  'cut off, then late': throughProxy((proxy) => ({ strike: async () => proxy.hold(), mend: () => proxy.heal() })),
  'OOM, nothing evicted': onServer((server) => ({
    strike: () => server.command('CONFIG', 'SET', 'maxmemory', '1mb'),
    mend: () => server.command('CONFIG', 'SET', 'maxmemory', '0'),
  })),
  'replica promoted, deletes unheard': async (client) => {
    const group = await startReplicated({ replicas: 1 })
    const { primary } = group
    const [replica] = group.replicas as [RedisServer]
    const [link, entrance] = await Promise.all([startProxy(primary), startProxy(primary)])
    await replica.command('REPLICAOF', '127.0.0.1', link.port)
    await inStep(replica)
    const mend = async () => {
      await primary.kill9()
      await replica.command('REPLICAOF', 'NO', 'ONE')
      entrance.retarget(replica.port)
    }
    const strike = async () => link.swallow('toClient')
    return scene({ strike, mend }, () => singleStores[client]!(entrance), [link, entrance, group])
  },
  'Sentinel: primary killed': async (client) => {
    const group = await startSentinel()
    const { primary } = group.redis
    const fault = { strike: () => primary.kill9(), mend: () => group.promoted(primary), primary: group.primary }
    return scene(fault, () => sentinelStores[client]!(group), [group])
  },
  'Cluster: a primary killed': async (client) => {
    const cluster = await startCluster()
    const primary = await cluster.ownerOf(0)
    const replica = await cluster.replicaOf(primary)
    const fault = { strike: () => primary.kill9(), mend: () => cluster.promoted(replica) }
    return scene(fault, () => clusterStores[client]!(cluster.addresses), [cluster])
  },
  'Memcached killed': async () => {
    const server = await startMemcached()
    const fault = { strike: () => server.kill9(), mend: () => server.restart() }
    return scene(fault, () => memcachedStore(server.address), [server])
  },
  'Memcached frozen': async () => {
    const server = await startMemcached()
    const fault = { strike: async () => server.pause(), mend: async () => server.resume() }
    return scene(fault, () => memcachedStore(server.address), [server])
  },
  'three providers killed': async () => {
    const [first, second, third] = await Promise.all([startRedis(), startMemcached(), startRedis()])
    const all: readonly ChildServer[] = [first, second, third]
    const strike = () => Promise.all(all.map((server) => server.kill9()))
    const mend = () => Promise.all(all.map((server) => server.restart()))
    const store = () => failoverStore([valkeyStore(first.url), memcachedStore(second.address), valkeyStore(third.url)])
    return scene({ strike, mend }, store, all)
  },
}

function onServer(faultOf: (server: RedisServer) => Fault): Set {
  return async (client) => {
    const server = await startRedis()
    return scene(faultOf(server), () => singleStores[client]!(server), [server])
  }
}

function throughProxy(faultOf: (proxy: FaultyProxy) => Fault): Set {
  return async (client) => {
    const server = await startRedis()
    const proxy = await startProxy(server)
    return scene(faultOf(proxy), () => singleStores[client]!(proxy), [proxy, server])
  }
}

function scene(fault: Fault, store: Scene['store'], ends: readonly AsyncDisposable[]): Scene {
  return {
    fault,
    store,
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) await end[Symbol.asyncDispose]()
    },
  }
}
