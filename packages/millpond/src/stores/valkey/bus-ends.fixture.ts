/** Clients whose connections a test can cut: every server that they reach is behind a proxy of their own. */
import type { ConnectionOptions } from 'node:tls'
import * as ioredis from 'ioredis'
import * as ioredis5 from 'ioredis5'
import * as iovalkey from 'iovalkey'
import { createClient, createCluster, createSentinel } from 'redis'
import { type FaultyProxy, startProxy } from '../../../../../tools/servers/proxy.ts'
import type { ValkeyClient } from './client.ts'

/** The servers of a test, and how they are found. */
export interface Servers {
  readonly ports: readonly number[]
  readonly tls?: ConnectionOptions
  readonly sentinel?: { readonly name: string; readonly addresses: readonly Address[] }
}

interface Address {
  readonly host: string
  readonly port: number
}

/** A client, and what it is cut off by. */
export interface Reach {
  readonly client: ValkeyClient
  cut(): Promise<void>
  heal(): Promise<void>
  /** Bytes vanish, and no connection ends. */
  swallow(): void
  end(): Promise<void>
}

/** How an application makes a client that fails at once while there is no connection. */
export type Make = (places: Places) => Promise<[ValkeyClient, () => unknown]>

interface Places {
  readonly first: Address
  readonly all: readonly Address[]
  readonly tls: ConnectionOptions | undefined
  readonly password?: string
  readonly sentinel: Servers['sentinel']
  /** Addresses as servers tell them, and where to go instead. */
  readonly map: Readonly<Record<string, Address>>
}

const IO = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 } as const

const io = (Redis: typeof ioredis.Redis | typeof ioredis5.Redis | typeof iovalkey.Redis): Make => {
  return async ({ first, tls, password, sentinel, map }) => {
    const where = sentinel ? { sentinels: [...sentinel.addresses], name: sentinel.name, natMap: map } : first
    const client = new (Redis as typeof ioredis.Redis)({
      ...where,
      ...IO,
      ...(tls ? { tls } : {}),
      ...(password ? { password } : {}),
      lazyConnect: true,
    })
    client.on('error', () => {})
    await client.connect()
    return [client, () => client.disconnect()]
  }
}

const ioCluster = (Cluster: typeof ioredis.Cluster | typeof ioredis5.Cluster | typeof iovalkey.Cluster): Make => {
  return async ({ all, map }) => {
    const options = { natMap: map, lazyConnect: true, slotsRefreshInterval: 200, clusterRetryStrategy: () => 50 }
    const client = new (Cluster as typeof ioredis.Cluster)([...all], options)
    client.on('error', () => {})
    await client.connect()
    return [client, () => client.disconnect()]
  }
}

const socketOf = ({ first, tls }: Places) => ({ ...first, ...(tls ? { tls: true as const, ...tls } : {}) })

const nodeRedis: Make = async (places) => {
  const client = createClient({
    socket: socketOf(places),
    disableOfflineQueue: true,
    ...(places.password ? { password: places.password } : {}),
  })
  client.on('error', () => {})
  await client.connect()
  return [client, () => client.destroy()]
}

const nodeRedisCluster: Make = async ({ all, map }) => {
  const rootNodes = all.map((socket) => ({ socket: { ...socket } }))
  const client = createCluster({ rootNodes, nodeAddressMap: map, defaults: { disableOfflineQueue: true } })
  client.on('error', () => {})
  await client.connect()
  return [client, () => client.destroy()]
}

const nodeRedisSentinel: Make = async ({ sentinel, map }) => {
  const { name, addresses } = sentinel!
  const client = createSentinel({
    name,
    sentinelRootNodes: [...addresses],
    nodeAddressMap: map,
    nodeClientOptions: { disableOfflineQueue: true },
  })
  client.on('error', () => {})
  await client.connect()
  return [client, () => client.destroy()]
}

/** By topology and name. */
export const makers: Record<'single' | 'sentinel' | 'cluster', Record<string, Make>> = {
  single: {
    ioredis: io(ioredis.Redis),
    'ioredis 5': io(ioredis5.Redis),
    iovalkey: io(iovalkey.Redis),
    'node-redis': nodeRedis,
  },
  sentinel: { ioredis: io(ioredis.Redis), iovalkey: io(iovalkey.Redis), 'node-redis': nodeRedisSentinel },
  cluster: {
    ioredis: ioCluster(ioredis.Cluster),
    'ioredis 5': ioCluster(ioredis5.Cluster),
    iovalkey: ioCluster(iovalkey.Cluster),
    'node-redis': nodeRedisCluster,
  },
}

/** A client of its own, behind proxies of its own. */
export async function reach(make: Make, servers: Servers): Promise<Reach> {
  const proxies = await Promise.all(servers.ports.map((port) => startProxy({ port })))
  const addresses = proxies.map(({ port }) => ({ host: '127.0.0.1', port }))
  const map = Object.fromEntries(servers.ports.map((port, at) => [`127.0.0.1:${port}`, addresses[at]!]))
  const places: Places = { first: addresses[0]!, all: addresses, tls: servers.tls, sentinel: servers.sentinel, map }
  const [client, endClient] = await make(places)
  const each = (run: (proxy: FaultyProxy) => unknown) => Promise.all(proxies.map((proxy) => run(proxy)))
  return {
    client,
    cut: async () => void (await each((proxy) => proxy.cut())),
    heal: async () => void (await each((proxy) => proxy.heal())),
    swallow() {
      for (const proxy of proxies) proxy.swallow()
    },
    async end() {
      await endClient()
      await each((proxy) => proxy.close())
    },
  }
}
