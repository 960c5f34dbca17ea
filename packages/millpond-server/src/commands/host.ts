/** One process: its caches by name, and the way into each. */
import { join } from 'node:path'
import { ReplyError } from '../engine/errors.ts'
import type { EvictionPolicy } from '../engine/eviction.ts'
import { EngineTime } from '../engine/time.ts'
import type { Client } from './client.ts'
import { Configuration } from './configuration/configuration.ts'
import { Service, type ServiceOptions } from './service.ts'

/** What a cache is to be. Times are milliseconds, sizes bytes; what is left out is as it is by itself. */
export interface CacheSettings {
  /** What keys and values may take. */
  readonly maxMemory?: number
  readonly policy?: EvictionPolicy
  /** The life of a key that is stored without one. Infinity: for ever. */
  readonly defaultTtlMs?: number
  /** No key lives longer. */
  readonly maxTtlMs?: number
  /** The longest key and value together. */
  readonly itemBytesMax?: number
  /** When changes are written to disk. Default: as the host does. */
  readonly append?: 'no' | 'everysec' | 'always'
}

/** Who finds out by a secret that is no user's password who somebody is: see `Host.entrance`. */
export interface Entrance {
  /** Makes the client who it is, if the secret says so. @throws ReplyError why this secret opens nothing */
  admit(client: Client, name: string, secret: string): boolean
}

/** The cache of clients that name none. */
export const HOME = 'default'

/**
 * Each cache is a service of its own: databases, channels, scripts, users, logs and statistics are of one cache. So no
 * command reaches another one, and none has to look that it does not. A client is in one cache at a time, and goes to
 * another by saying who it is there.
 */
export class Host {
  readonly home: Service
  /** All caches by name. */
  readonly services: Map<string, Service> = new Map()
  /** Tokens and access keys. Without: users with passwords alone. */
  entrance: Entrance | undefined
  readonly #options: Omit<ServiceOptions, 'host' | 'configuration'>
  #lastClientId = 0

  constructor(options: Omit<ServiceOptions, 'host'>) {
    const { configuration, ...others } = options
    this.#options = others
    this.home = new Service({ ...options, name: HOME, host: this })
    this.services.set(HOME, this.home)
  }

  /** Clients in all caches. */
  get clientCount(): number {
    let count = 0
    for (const { clients } of this.services.values()) count += clients.size
    return count
  }

  /** A number for the next client. */
  nextClientId(): number {
    return ++this.#lastClientId
  }

  /** The folder of what is kept about caches other than the home one, and of what they keep. */
  get folder(): string {
    return join(this.home.configuration.text('dir'), 'millpond')
  }

  /** Makes a cache, and reads what it kept on disk. @throws ReplyError EXISTS */
  async create(name: string, settings: CacheSettings = {}): Promise<Service> {
    if (this.services.has(name)) throw new ReplyError(`there is a cache '${name}' already`, 'EXISTS')
    const { home } = this
    const configuration = new Configuration()
    const { append = home.configuration.is('appendonly') ? home.configuration.text('appendfsync') : 'no' } = settings
    configuration.start('appendonly', append === 'no' ? 'no' : 'yes')
    if (append !== 'no') configuration.start('appendfsync', append)
    configuration.start('dir', join(this.folder, 'caches', name))
    const bytesMax = Math.max(settings.maxMemory ?? 0, this.#options.bytesMax)
    const service = new Service({ ...this.#options, time: new EngineTime(), name, host: this, configuration, bytesMax })
    this.services.set(name, service)
    try {
      this.change(name, settings)
      await service.persistence.start()
    } catch (error) {
      this.services.delete(name)
      throw error
    }
    service.cache.start()
    return service
  }

  /** Changes what is given of a cache, at once. @throws ReplyError NOTFOUND, or what cannot be */
  change(name: string, settings: CacheSettings): void {
    const { cache, configuration } = this.service(name)
    const { maxMemory, policy, defaultTtlMs, maxTtlMs, itemBytesMax } = settings
    if (maxMemory !== undefined && maxMemory > cache.capacity) {
      throw new ReplyError(`cache '${name}' can have at most ${cache.capacity} bytes until the server starts again`)
    }
    if (maxMemory !== undefined) configuration.set([['maxmemory', String(maxMemory)]])
    if (policy !== undefined) configuration.set([['maxmemory-policy', policy]])
    if (defaultTtlMs !== undefined) cache.defaultTtlMs = defaultTtlMs
    if (maxTtlMs !== undefined) cache.maxTtlMs = maxTtlMs
    if (itemBytesMax !== undefined) cache.itemBytesMax = Math.min(itemBytesMax, Math.floor(cache.capacity / 4))
  }

  /** A cache by name. @throws ReplyError NOTFOUND */
  service(name: string): Service {
    const service = this.services.get(name)
    if (service === undefined) throw new ReplyError(`there is no cache '${name}'`, 'NOTFOUND')
    return service
  }

  /** Ends a cache and the connections of its clients, and writes what it keeps. @throws ReplyError NOTFOUND */
  async delete(name: string): Promise<void> {
    const service = this.service(name)
    if (service === this.home) throw new ReplyError(`the cache '${HOME}' stays`)
    this.services.delete(name)
    for (const client of service.clients.values()) client.close('now')
    await service.stop()
  }

  /** Makes a client who it says that it is. Returns whether that is so. @throws ReplyError why a token opens nothing */
  authenticate(client: Client, name: string, secret: string): boolean {
    const { accessControl } = client.service
    return accessControl.authenticate(client, name, secret) || this.entrance?.admit(client, name, secret) === true
  }

  /** Clears away what expires, in all caches. */
  start(): void {
    for (const { cache } of this.services.values()) cache.start()
  }

  /** Ends all caches, once what they keep is written. */
  async stop(): Promise<void> {
    for (const service of this.services.values()) await service.stop()
  }
}
