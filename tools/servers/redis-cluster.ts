/** A cluster of primaries with a replica each, as throw-away servers on loopback, made and reshaped by its own commands. */
import { isRunning } from './child.ts'
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts'
import { QUICK_REPLICATION } from './redis-replicated.ts'
import { until } from './until.ts'

/** Options of `startCluster`: those of each server, and the cluster's shape. */
export interface ClusterOptions extends Omit<RedisOptions, 'port' | 'dir' | 'morePorts'> {
  /** Default 3. */
  readonly primaries?: number
  /** Replicas of each primary. Default 1. */
  readonly replicas?: number
  /** How long a server is silent before the others call it failed. Default 1000 ms. */
  readonly nodeTimeoutMs?: number
}

/** A running cluster. */
export interface RedisCluster extends AsyncDisposable {
  /** Every server: first those that were primaries at the start, then the replicas. */
  readonly servers: readonly RedisServer[]
  /** Where they are, as clients want it. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The slot of a key, as the servers say. */
  slotOf(key: string): Promise<number>
  /** The server that owns a slot now. */
  ownerOf(slot: number): Promise<RedisServer>
  /** A replica of this primary, which runs. */
  replicaOf(primary: RedisServer): Promise<RedisServer>
  /**
   * Moves a slot with its keys to another primary: during the move the old owner answers ASK for what has gone,
   * afterwards MOVED. `midway` is run while the slot is half moved: marked on both sides, keys gone, owner unchanged.
   */
  moveSlot(slot: number, to: RedisServer, midway?: () => Promise<void>): Promise<void>
  /** Promotes a replica in place of its primary, which is alive and takes part. Resolves once the others know. */
  failover(replica: RedisServer): Promise<void>
  /** Waits until every running server sees all slots served. */
  healthy(): Promise<void>
  /** Waits until this server is a primary in its own view, and the cluster is whole. */
  promoted(replica: RedisServer): Promise<void>
  destroy(): Promise<void>
}

const SLOTS = 16_384
const BUS_DISTANCE = 10_000

/** Starts the servers and joins them; resolves once each sees a whole cluster and the replicas are in step. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { primaries = 3, replicas = 1, nodeTimeoutMs = 1000, ...common } = options
  const count = primaries * (1 + replicas)
  const mode = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf']
  const args = [...mode, '--cluster-node-timeout', `${nodeTimeoutMs}`, ...QUICK_REPLICATION, ...(common.args ?? [])]
  const start = () => startRedis({ ...common, args, morePorts: [BUS_DISTANCE] })
  const settled = await Promise.allSettled(Array.from({ length: count }, start))
  const servers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const cluster = new Cluster(servers)
  try {
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    await cluster.join(primaries)
    return cluster
  } catch (error) {
    await cluster.destroy()
    throw error
  }
}

class Cluster implements RedisCluster {
  readonly servers: readonly RedisServer[]

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  get addresses(): { host: string; port: number }[] {
    return this.servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** Gives slots and epochs first, so that the servers meet without a conflict to settle. */
  async join(primaryCount: number): Promise<void> {
    const [first, ...others] = this.servers as [RedisServer, ...RedisServer[]]
    const primaries = this.servers.slice(0, primaryCount)
    await Promise.all(this.servers.map((one, index) => one.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)))
    await Promise.all(primaries.map((one, index) => one.command('CLUSTER', 'ADDSLOTS', ...share(index, primaryCount))))
    await Promise.all(others.map((one) => one.command('CLUSTER', 'MEET', '127.0.0.1', first.port)))
    const known = async (one: RedisServer) =>
      (await clusterInfo(one, 'cluster_known_nodes')) === `${this.servers.length}`
    await until('the servers know each other', () => every(this.servers, known))
    const replicas = this.servers.slice(primaryCount)
    await Promise.all(
      replicas.map(async (one, index) => {
        await one.command('CLUSTER', 'REPLICATE', await idOf(primaries[index % primaryCount]!))
      }),
    )
    const inStep = async (one: RedisServer) => (await one.info('master_link_status')) === 'up'
    await until('the replicas are in step', () => every(replicas, inStep))
    await this.healthy()
    const counted = async (one: RedisServer) => (await replicaPorts(one)).length * primaryCount === replicas.length
    await until('the primaries know their replicas', () => every(primaries, counted))
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.anyone().command('CLUSTER', 'KEYSLOT', key))
  }

  async ownerOf(slot: number): Promise<RedisServer> {
    const ranges = (await this.anyone().command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const range = ranges.find(([from, to]) => slot >= from && slot <= to)
    return this.at(range![2][1])
  }

  async replicaOf(primary: RedisServer): Promise<RedisServer> {
    let found: RedisServer | undefined
    // A primary hears of its replica by gossip, which may be after the two are in step.
    await until(`port ${primary.port} knows a replica that runs`, async () => {
      found = (await replicaPorts(primary)).map((port) => this.at(port)).find(isRunning)
      return found !== undefined
    })
    return found!
  }

  async moveSlot(slot: number, to: RedisServer, midway?: () => Promise<void>): Promise<void> {
    const from = await this.ownerOf(slot)
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
    await moveKeys(slot, from, to)
    await midway?.()
    await moveKeys(slot, from, to)
    const owner = await idOf(to)
    // The new owner first: it is the one that must not be asked for what it does not know to be its own.
    for (const server of [to, from]) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', owner)
    await until('the servers know the new owner', () => every(this.running(), (one) => ownsIn(one, slot, to.port)))
  }

  async failover(replica: RedisServer): Promise<void> {
    await replica.command('CLUSTER', 'FAILOVER')
    await this.promoted(replica)
  }

  async promoted(replica: RedisServer): Promise<void> {
    await until(`port ${replica.port} is a primary`, async () => (await replica.info('role')) === 'master')
    await this.healthy()
    const sees = async (one: RedisServer) => !(await replicaList(one)).includes(replica.port)
    await until('the others know the new primary', () => every(this.running(), sees))
  }

  async healthy(): Promise<void> {
    const isOk = async (one: RedisServer) => (await clusterInfo(one, 'cluster_state')) === 'ok'
    await until('the cluster is whole', () => every(this.running(), isOk))
  }

  async destroy(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.destroy()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }

  private running(): RedisServer[] {
    return this.servers.filter(isRunning)
  }

  private anyone(): RedisServer {
    return this.running()[0]!
  }

  private at(port: number): RedisServer {
    return this.servers.find((server) => server.port === port)!
  }
}

async function every(servers: readonly RedisServer[], holds: (one: RedisServer) => Promise<boolean>): Promise<boolean> {
  return !(await Promise.all(servers.map(holds))).includes(false)
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.command('CLUSTER', 'MYID'))
}

async function clusterInfo(server: RedisServer, name: string): Promise<string | undefined> {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(String(await server.command('CLUSTER', 'INFO')))?.[1]?.trim()
}

/** One line of CLUSTER NODES: id, address, flags, primary, ..., slots. */
async function lines(server: RedisServer): Promise<string[][]> {
  const text = String(await server.command('CLUSTER', 'NODES'))
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
}

function portOf(line: readonly string[]): number {
  return Number(/:(\d+)@/.exec(line[1]!)![1])
}

async function replicaPorts(primary: RedisServer): Promise<number[]> {
  const id = await idOf(primary)
  return (await lines(primary)).filter((line) => line[3] === id).map(portOf)
}

/** The ports of all replicas, as one server sees them. */
async function replicaList(viewer: RedisServer): Promise<number[]> {
  return (await lines(viewer)).filter((line) => line[2]!.includes('slave')).map(portOf)
}

async function ownsIn(viewer: RedisServer, slot: number, port: number): Promise<boolean> {
  const ranges = (await viewer.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  return ranges.some(([from, to, owner]) => slot >= from && slot <= to && owner[1] === port)
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  for (;;) {
    const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
    if (keys.length === 0) return
    await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 1000, 'REPLACE', 'KEYS', ...keys)
  }
}

/** The slots of the `index`-th of `count` primaries. */
function share(index: number, count: number): number[] {
  const start = Math.floor((SLOTS * index) / count)
  const end = Math.floor((SLOTS * (index + 1)) / count)
  return Array.from({ length: end - start }, (_, slot) => start + slot)
}
