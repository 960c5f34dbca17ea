import { StoreError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { Channel } from '../bus-pubsub.ts'
import { openLine, type Single, type SubscribedLine } from './bus-line.ts'
import type { IoClient, NodeRedisClient, Recognised } from './client.ts'
import { connectionOver } from './connection.ts'

/** A client that may have to be opened first. */
export interface ClientSource {
  get(): Promise<Recognised>
  close(): Promise<void>
}

/**
 * A channel of publish and subscribe. In a cluster it is the plain kind, which every server passes on to all others: it
 * works with every version and client, and what is published through one server arrives in order. So one is chosen, and
 * kept until it fails. (The sharded kind would spare the other servers the message; what a bus says is short.)
 */
export function channelOver(source: ClientSource, name: string, random: Random): Channel {
  const publisher = new Publisher(random)
  let line: SubscribedLine | undefined
  return {
    async send(payload) {
      const recognised = await source.get()
      const args = ['publish', name, payload]
      // It keeps commands until there is a primary again, whatever its options. Ours are of no use then.
      if (recognised.kind === 'node-redis-sentinel') return await sendOn(line, args)
      return await publisher.send(recognised, args)
    },
    async listen(hear, onDown, signal) {
      const single = await anyServer(await source.get(), random)
      const opened = await openLine(single, {
        channels: [name],
        hear: (_, payload) => hear(String(payload)),
        onDown,
        signal,
      })
      line = opened
      return {
        close() {
          if (line === opened) line = undefined
          opened.close()
        },
      }
    },
    close: () => source.close(),
  }
}

function sendOn(line: SubscribedLine | undefined, args: string[]): Promise<unknown> {
  if (line?.send === undefined) throw new StoreError('publish: not connected')
  return line.send(args)
}

/** Through which server of a cluster is published: the same as before, until it fails. */
class Publisher {
  readonly #random: Random
  #chosen: object | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** Sends through one primary and, where that fails, once more through another: what arrives twice does no harm. */
  async send(recognised: Recognised, args: string[]): Promise<unknown> {
    if (!isCluster(recognised)) return await connectionOver(recognised).send(args)
    try {
      return await this.#sendOnce(recognised, args, undefined)
    } catch {
      return await this.#sendOnce(recognised, args, this.#chosen)
    }
  }

  async #sendOnce(cluster: ClusterOf, args: string[], failed: object | undefined): Promise<unknown> {
    const servers = serversOf(cluster)
    if (this.#chosen === failed || this.#chosen === undefined || !servers.includes(this.#chosen)) {
      const others = servers.filter((server) => server !== failed)
      this.#chosen = others[Math.floor(this.#random() * others.length)] ?? servers[0]!
    }
    // Asked each time: a client may have made another connection to it.
    return connectionOver(await singleOf(cluster, this.#chosen)).send(args)
  }
}

/** Any primary of a cluster, or what is no cluster itself. */
async function anyServer(recognised: Recognised, random: Random): Promise<Single> {
  if (!isCluster(recognised)) return recognised
  const servers = serversOf(recognised)
  return singleOf(recognised, servers[Math.floor(random() * servers.length)]!)
}

/** Each primary: one, where there is no cluster. */
export async function everyServer(recognised: Recognised): Promise<Single[]> {
  if (!isCluster(recognised)) return [recognised]
  return Promise.all(serversOf(recognised).map((server) => singleOf(recognised, server)))
}

type ClusterOf = Extract<Recognised, { readonly kind: `${string}-cluster` }>

function isCluster(recognised: Recognised): recognised is ClusterOf {
  return recognised.kind === 'io-cluster' || recognised.kind === 'node-redis-cluster'
}

function serversOf(cluster: ClusterOf): readonly object[] {
  const servers = cluster.kind === 'io-cluster' ? cluster.client.nodes('master') : cluster.client.masters
  if (servers.length > 0) return servers
  throw new StoreError('the client of the cluster knows no servers yet')
}

async function singleOf(cluster: ClusterOf, server: object): Promise<Single> {
  if (cluster.kind === 'io-cluster') return { kind: 'io', client: server as IoClient }
  const client: NodeRedisClient = await cluster.client.nodeClient(server as never)
  return { kind: 'node-redis', client }
}
