/** The clients that the tests run the store with, made as an application makes them, and ended with the test. */
import type { ConnectionOptions } from 'node:tls'
import * as ioredis from 'ioredis'
import * as ioredis5 from 'ioredis5'
import * as iovalkey from 'iovalkey'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import type { ValkeyClient } from './client.ts'

/** Where and as whom to connect. */
export interface Access {
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly tls?: ConnectionOptions
}

type Ends = (end: () => unknown) => void
type Addresses = readonly { readonly host: string; readonly port: number }[]

const HOST = '127.0.0.1'
/** Whoever makes a client listens to its errors. */
const heard = <Client extends { on(event: 'error', listener: () => void): unknown }>(client: Client): Client => {
  client.on('error', () => undefined)
  return client
}

/** Clients of one server, by name. */
export const singles: Record<string, (access: Access, ends: Ends) => Promise<ValkeyClient>> = {
  ioredis: async (access, ends) => {
    const client = heard(new ioredis.Redis({ host: HOST, ...access }))
    ends(() => client.disconnect())
    return client
  },
  'ioredis 5': async (access, ends) => {
    const client = heard(new ioredis5.Redis({ host: HOST, ...access }))
    ends(() => client.disconnect())
    return client
  },
  iovalkey: async (access, ends) => {
    const client = heard(new iovalkey.Redis({ host: HOST, ...access }))
    ends(() => client.disconnect())
    return client
  },
  'node-redis': async (access, ends) => {
    const client = await heard(createClient(nodeRedisOptions(access))).connect()
    ends(() => client.destroy())
    return client
  },
  'node-redis pool': async (access, ends) => {
    const client = heard(createClientPool(nodeRedisOptions(access)))
    await client.connect()
    ends(() => client.destroy())
    return client
  },
}

/** Clients of a cluster, by name. */
export const clusters: Record<string, (nodes: Addresses, ends: Ends) => Promise<ValkeyClient>> = {
  ioredis: async (nodes, ends) => {
    const client = heard(new ioredis.Cluster([...nodes]))
    ends(() => client.disconnect())
    return client
  },
  'ioredis 5': async (nodes, ends) => {
    const client = heard(new ioredis5.Cluster([...nodes]))
    ends(() => client.disconnect())
    return client
  },
  iovalkey: async (nodes, ends) => {
    const client = heard(new iovalkey.Cluster([...nodes]))
    ends(() => client.disconnect())
    return client
  },
  'node-redis': async (nodes, ends) => {
    const rootNodes = nodes.map((socket) => ({ socket: { ...socket } }))
    // Without these it looks for a new primary only after 5 s, and tries to connect every 2 s.
    const soon = { topologyRefreshOnReconnectionAttemptStrategy: 100, defaults: { socket: { reconnectStrategy: 250 } } }
    const client = heard(createCluster({ rootNodes, ...soon }))
    await client.connect()
    ends(() => client.destroy())
    return client
  },
}

/** Clients that ask Sentinels where the primary is, by name. */
export const sentinels: Record<
  string,
  (group: { name: string; addresses: Addresses }, ends: Ends) => Promise<ValkeyClient>
> = {
  // biome-ignore format: one line
  ioredis: async ({ name, addresses }, ends) => {
    const client = heard(new ioredis.Redis({ sentinels: [...addresses], name }))
    ends(() => client.disconnect())
    return client
  },
  iovalkey: async ({ name, addresses }, ends) => {
    const client = heard(new iovalkey.Redis({ sentinels: [...addresses], name }))
    ends(() => client.disconnect())
    return client
  },
  'node-redis': async ({ name, addresses }, ends) => {
    const client = heard(createSentinel({ name, sentinelRootNodes: [...addresses] }))
    await client.connect()
    ends(() => client.destroy())
    return client
  },
}

function nodeRedisOptions({ port, username, password, tls }: Access) {
  const socket = { host: HOST, port, ...(tls === undefined ? {} : { tls: true as const, ...tls }) }
  return { socket, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
}
