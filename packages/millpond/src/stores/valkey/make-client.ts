/** How clients are made from a `Place`: the same wishes, in the words of each package. */
import { StoreError } from '../../core/errors.ts'
import type { OpenOptions } from './open.ts'
import type { Place } from './url.ts'

/** Connect again soon, and at last every second. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(1000, 25 * 2 ** Math.min(attempt, 6))
}

/** A client of iovalkey or ioredis, which have the same options. */
export function ioClient(module: unknown, place: Place, options: OpenOptions): unknown {
  const { Redis, Cluster } = classesOf(module)
  const common = { ...logInOf(place), ...tlsOf(place, options), connectTimeout: options.connectTimeoutMs }
  const single = { ...common, ...IO_WISHES, db: place.database, lazyConnect: true, enableOfflineQueue: false, retryStrategy: reconnectDelayMs } // biome-ignore format: one line
  if (place.topology === 'cluster') {
    return new Cluster!(place.hosts, {
      redisOptions: { ...common, ...IO_WISHES },
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelayMs,
      // A certificate names the host, so the host is not to become an address before.
      ...(place.tls
        ? { dnsLookup: (host: string, found: (error: null, host: string) => void) => found(null, host) }
        : {}),
    })
  }
  if (place.topology === 'single')
    return new Redis!({ ...single, ...(place.path ? { path: place.path } : place.hosts[0]) })
  return new Redis!({
    ...single,
    sentinels: place.hosts,
    name: place.primary,
    ...(place.tls ? { enableTLSForSentinelMode: true, sentinelTLS: options.tls ?? {} } : {}),
    sentinelUsername: options.sentinel?.username,
    sentinelPassword: options.sentinel?.password,
    sentinelRetryStrategy: reconnectDelayMs,
    failoverDetector: true,
  })
}

/**
 * What was on its way when the connection broke fails, and is not sent again: it would come late. A client that is ended
 * holds the process for no longer than this, by default it is 2 s.
 */
const IO_WISHES = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, disconnectTimeout: 50 } as const

/** A cluster of node-redis asks who has a dead server's slots only so long after it has begun to connect again: 5 s. */
const SOON = { topologyRefreshOnReconnectionAttemptStrategy: 100 } as const

/** A client of node-redis. */
export function nodeRedisClient(module: unknown, place: Place, options: OpenOptions): unknown {
  const { createClient, createCluster, createSentinel } = functionsOf(module)
  const socket = {
    connectTimeout: options.connectTimeoutMs,
    reconnectStrategy: reconnectDelayMs,
    ...(place.tls ? { tls: true, ...options.tls } : {}),
  }
  const common = { ...logInOf(place), disableOfflineQueue: true }
  if (place.topology === 'cluster') {
    const rootNodes = place.hosts.map((host) => ({ socket: { ...host } }))
    return createCluster!({ rootNodes, defaults: { ...common, socket }, ...SOON })
  }
  const database = place.database
  if (place.topology === 'single') {
    const where = place.path === undefined ? place.hosts[0] : { path: place.path }
    return createClient!({ ...common, database, socket: { ...socket, ...where } })
  }
  return createSentinel!({
    name: place.primary,
    sentinelRootNodes: place.hosts,
    nodeClientOptions: { ...common, database, socket },
    sentinelClientOptions: { ...options.sentinel, socket },
  })
}

function logInOf({ username, password }: Place): { username?: string; password?: string } {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
}

function tlsOf(place: Place, { tls }: OpenOptions): object {
  return place.tls ? { tls: { ...tls } } : {}
}

type Make<Result> = Record<string, Result | undefined>

function classesOf(module: unknown): Make<new (...args: unknown[]) => unknown> {
  return exportsOf(module, 'Redis')
}

function functionsOf(module: unknown): Make<(options: object) => unknown> {
  return exportsOf(module, 'createClient')
}

/** The exports of a package, however it was loaded. */
function exportsOf<T>(module: unknown, name: string): T {
  for (const candidate of [module, (module as { default?: unknown }).default]) {
    if (candidate && name in (candidate as object)) return candidate as T
  }
  throw new StoreError(`this package has no ${name}`)
}
