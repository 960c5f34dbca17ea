/**
 * The slices of iovalkey, ioredis and node-redis that the store and the bus call, and how each client is recognised.
 * client.types.test.ts proves the slices against the real types.
 */
import { OptionError } from '../../core/errors.ts'

/** What all of them are: emitters of events. Nobody here listens to `'error'`: that is for who made the client. */
interface Emitter {
  on(event: string | symbol, listener: (...args: unknown[]) => void): unknown
  off(event: string | symbol, listener: (...args: unknown[]) => void): unknown
}

/** A connection of iovalkey or ioredis: `new Redis(...)`, Sentinel included. */
export interface IoClient extends Emitter {
  readonly status: string
  call(command: string, args: string[]): Promise<unknown>
  duplicate(): IoClient
  connect(): Promise<void>
  disconnect(): void
}

/** A cluster of iovalkey or ioredis: `new Cluster([...])`. */
export interface IoCluster extends Emitter {
  readonly status: string
  readonly isCluster: boolean
  call(command: string, args: string[]): Promise<unknown>
  nodes(role: 'master'): readonly IoClient[]
  duplicate(): IoCluster
  connect(): Promise<void>
  disconnect(): void
}

/** How node-redis gives replies, whatever the client was told: nothing mapped, so texts are strings. */
export interface NodeRedisReply {
  readonly typeMapping: Record<never, never>
}

/** A client of node-redis: `createClient` and, as it has the same methods, `createClientPool`. */
export interface NodeRedisClient extends Emitter {
  readonly isOpen: boolean
  readonly isReady?: boolean
  sendCommand(args: string[], options: NodeRedisReply): Promise<unknown>
  connect(): Promise<unknown>
  destroy(): unknown
}

/** A cluster of node-redis: `createCluster`. */
export interface NodeRedisCluster extends Emitter {
  readonly isOpen: boolean
  readonly isReady?: boolean
  readonly masters: readonly object[]
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options: NodeRedisReply,
  ): Promise<unknown>
  nodeClient(node: never): Promise<NodeRedisClient> | NodeRedisClient
  connect(): Promise<unknown>
  destroy(): unknown
}

/** What asks Sentinels for the primary in node-redis: `createSentinel`. */
export interface NodeRedisSentinel extends Emitter {
  readonly isOpen: boolean
  readonly isReady?: boolean
  sendCommand(isReadonly: boolean | undefined, args: string[], options: NodeRedisReply): Promise<unknown>
  getSentinelNode(): unknown
  connect(): Promise<unknown>
  destroy(): unknown
}

/** A client of Valkey or Redis, made by iovalkey, ioredis or node-redis. */
export type ValkeyClient = IoClient | IoCluster | NodeRedisClient | NodeRedisCluster | NodeRedisSentinel

/** A client, and what it was recognised as. */
export type Recognised =
  | { readonly kind: 'io'; readonly client: IoClient }
  | { readonly kind: 'io-cluster'; readonly client: IoCluster }
  | { readonly kind: 'node-redis'; readonly client: NodeRedisClient }
  | { readonly kind: 'node-redis-cluster'; readonly client: NodeRedisCluster }
  | { readonly kind: 'node-redis-sentinel'; readonly client: NodeRedisSentinel }

/**
 * Says by its shape what a client is.
 *
 * @param option the option it came from, for the error message
 * @throws OptionError (`ERR_OPTION`) when it is none of them, or puts a prefix of its own before keys
 */
export function recognise(candidate: unknown, option: string): Recognised {
  if (typeof candidate === 'object' && candidate !== null) {
    const kind = kindOf(candidate as Record<string, unknown>)
    if (kind?.startsWith('node-redis')) refusePrefix(candidate, option)
    if (kind !== undefined) return { kind, client: candidate } as Recognised
  }
  throw new OptionError(
    option,
    candidate,
    'give a client of iovalkey, ioredis or redis (node-redis 5 or later), or a URL such as redis://localhost:6379',
  )
}

/** Whether a client has a connection, as far as it says: a pool, and a cluster of node-redis, only say that they are open. */
export function isConnected({ kind, client }: Recognised): boolean {
  if (kind === 'io' || kind === 'io-cluster') return client.status === 'ready'
  return client.isReady ?? client.isOpen
}

function kindOf(client: Record<string, unknown>): Recognised['kind'] | undefined {
  const has = (method: string): boolean => typeof client[method] === 'function'
  if (has('call') && has('duplicate')) return client.isCluster === true && has('nodes') ? 'io-cluster' : 'io'
  if (!has('sendCommand') || !has('destroy')) return undefined
  if (has('nodeClient')) return 'node-redis-cluster'
  return has('getSentinelNode') ? 'node-redis-sentinel' : 'node-redis'
}

/** node-redis puts its `keyPrefix` only before commands that it knows by name, so these would go without. */
function refusePrefix(client: { options?: { keyPrefix?: unknown }; _keyPrefix?: unknown }, option: string): void {
  const prefix = client._keyPrefix ?? client.options?.keyPrefix
  if (prefix === undefined || prefix === '') return
  throw new OptionError(
    `${option}.keyPrefix`,
    prefix,
    'node-redis does not put it before these commands: leave it out and give the option prefix instead',
  )
}
