/** Stores over real clients, made as an application makes them. */
import type { Store } from 'millpond'
import { createClient } from 'redis'
import { clusters, sentinels, singles } from '../../../packages/millpond/src/stores/valkey/clients.fixture.ts'
import { type ValkeyClient, valkeyStore } from '../../../packages/millpond/src/stores/valkey/index.ts'

/** A store whose client ends with it. */
type Open<Place> = (place: Place) => Promise<Store>

type Ends = (end: () => unknown) => void
type Address = { readonly host: string; readonly port: number }

/** Stores on one server, by client. */
export const singleStores: Readonly<Record<string, Open<{ readonly port: number }>>> = {
  ...overClients(singles, ['iovalkey', 'ioredis', 'node-redis']),
  'a URL': async ({ port }) => valkeyStore(`redis://127.0.0.1:${port}`),
}

/** Where a server is, and as whom to use it. */
interface Access {
  readonly port: number
  readonly username?: string
  readonly password?: string
}

/** Stores on one server that are there at once: their clients connect behind, also where nobody answers yet. */
export const impatientStores: Readonly<Record<string, Open<Access>>> = {
  ioredis: singleStores.ioredis!,
  'node-redis': overClients({ late: lateNodeRedis }, ['late']).late!,
  'a URL': async ({ port, username, password }) =>
    valkeyStore(`redis://${username === undefined ? '' : `${username}:${password}@`}127.0.0.1:${port}`),
}

/** Stores that ask Sentinels where the primary is, by client. */
export const sentinelStores: Readonly<Record<string, Open<{ name: string; addresses: readonly Address[] }>>> = {
  ...overClients(sentinels, ['iovalkey', 'ioredis', 'node-redis']),
  'a URL': async ({ name, addresses }) => valkeyStore(`redis+sentinel://${list(addresses)}/${name}`),
}

/** Stores on a cluster, by client. */
export const clusterStores: Readonly<Record<string, Open<readonly Address[]>>> = {
  ...overClients(clusters, ['iovalkey', 'ioredis', 'node-redis']),
  'a URL': async (addresses) => valkeyStore(`redis+cluster://${list(addresses)}`),
}

async function lateNodeRedis({ port, username, password }: Access, ends: Ends): Promise<ValkeyClient> {
  const login = username === undefined ? {} : { username: username, password: password! }
  const client = createClient({ socket: { host: '127.0.0.1', port }, ...login })
  client.on('error', () => undefined)
  void client.connect().catch(() => undefined)
  ends(() => client.destroy())
  return client
}

function list(addresses: readonly Address[]): string {
  return addresses.map(({ host, port }) => `${host}:${port}`).join(',')
}

function overClients<Place>(
  open: Readonly<Record<string, (place: Place, ends: Ends) => Promise<ValkeyClient>>>,
  names: readonly string[],
): Record<string, Open<Place>> {
  return Object.fromEntries(names.map((name) => [name, (place: Place) => overClient(place, open[name]!)]))
}

/** The store leaves a client alone that it was given, so here its owner is the store's. */
async function overClient<Place>(
  place: Place,
  open: (place: Place, ends: Ends) => Promise<ValkeyClient>,
): Promise<Store> {
  const ends: (() => unknown)[] = []
  const store = valkeyStore(await open(place, (end) => ends.push(end)))
  const { close } = store
  store.close = async () => {
    await close.call(store)
    for (const end of ends) await end()
  }
  return store
}
