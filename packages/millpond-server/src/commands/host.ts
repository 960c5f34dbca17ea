/** One process: its caches by name, and the way into each. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import { EngineTime } from '../engine/time.ts'
import type { AuditLog } from '../security/audit-log.ts'
import { KeptFile } from '../security/kept-file.ts'
import { checkName } from '../security/names.ts'
import { type CacheRecord, type CacheSettings, type KeptCaches, readCaches, writeCaches } from './caches/settings.ts'
import { Client } from './client.ts'
import { Configuration } from './configuration/configuration.ts'
import { execute } from './executor.ts'
import { SilentReply } from './persistence/silent-reply.ts'
import { Service, type ServiceOptions } from './service.ts'
import type { Entrance } from './tokens/entrance.ts'
import type { Transfers } from './transfers/transfers.ts'

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
  /** Where admin actions are noted. Without: nowhere. */
  audit: AuditLog | undefined
  /** Backups, restores and imports. Without: this host makes none. */
  transfers: Transfers | undefined
  readonly #kept: KeptFile<KeptCaches>
  /** As they were asked for. */
  #records: Map<string, CacheRecord> = new Map()
  /** Names of caches whose end has begun: what they keep is still being written, and then removed. */
  readonly #ending = new Set<string>()
  readonly #options: Omit<ServiceOptions, 'host' | 'configuration'>
  #lastClientId = 0

  constructor(options: Omit<ServiceOptions, 'host'>) {
    // Threads share the home cache alone.
    const { configuration: _, cacheSharing: _sharing, statistics: _statistics, ...others } = options
    this.#options = others
    this.home = new Service({ ...options, name: HOME, host: this })
    this.services.set(HOME, this.home)
    this.#records.set(HOME, { name: HOME, createdAtMs: 0, settings: {} })
    this.#kept = new KeptFile(this.pathOf('caches.json'))
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

  /** Where a file of the host is to be; `undefined`: it keeps nothing, because nobody has said where or what. */
  pathOf(name: string): string | undefined {
    const keeps = this.home.configuration.changed().some(([changed]) => changed === 'dir' || changed === 'appendonly')
    return keeps ? join(this.folder, name) : undefined
  }

  /** Makes the caches that there were when the host ended, with what they kept. */
  async restore(): Promise<void> {
    for (const record of readCaches(this.#kept)) {
      if (record.name !== HOME) await this.#open(record)
      else {
        refuseTooLarge(this.home, record.settings)
        this.#apply(this.home, record.settings)
        this.#records.set(HOME, record)
      }
    }
  }

  /** Makes a cache. @throws ReplyError EXISTS, or what cannot be */
  async create(name: string, settings: CacheSettings = {}): Promise<Service> {
    checkName('cache', name)
    if (this.services.has(name)) throw new ReplyError(`there is a cache '${name}' already`, 'EXISTS')
    if (this.#ending.has(name)) throw new ReplyError(`the cache '${name}' is being deleted; try again`, 'EXISTS')
    const service = await this.#open({ name, createdAtMs: this.home.time.read(), settings })
    try {
      writeCaches(this.#kept, this.#records.values())
    } catch (error) {
      await this.#end(name, service)
      throw error
    }
    return service
  }

  async #open(record: CacheRecord): Promise<Service> {
    const { name, settings } = record
    const { home } = this
    const configuration = new Configuration()
    const { append = home.configuration.is('appendonly') ? home.configuration.text('appendfsync') : 'no' } = settings
    configuration.start('appendonly', append === 'no' ? 'no' : 'yes')
    if (append !== 'no') configuration.start('appendfsync', append)
    configuration.start('dir', this.#folderOf(name))
    const bytesMax = Math.max(settings.maxMemory ?? 0, this.#options.bytesMax)
    const service = new Service({ ...this.#options, time: new EngineTime(), name, host: this, configuration, bytesMax })
    // Nobody comes in without a token or an access key.
    service.accessControl.set('default', ['off', 'resetpass'])
    this.services.set(name, service)
    this.#records.set(name, record)
    try {
      refuseTooLarge(service, settings)
      this.#apply(service, settings)
      await service.persistence.start()
    } catch (error) {
      this.services.delete(name)
      this.#records.delete(name)
      throw error
    }
    service.cache.start()
    return service
  }

  /** Changes what is given of a cache, at once. @throws ReplyError NOTFOUND, or what cannot be */
  change(name: string, settings: CacheSettings): void {
    const service = this.service(name)
    const { append } = settings
    const record = this.record(name)
    if (append !== undefined && append !== record.settings.append) {
      throw new ReplyError('when changes are written to disk is settled when a cache is made')
    }
    refuseTooLarge(service, settings)
    const records = new Map(this.#records).set(name, { ...record, settings: { ...record.settings, ...settings } })
    writeCaches(this.#kept, records.values())
    this.#records = records
    this.#apply(service, settings)
  }

  /** As what a cache was asked for. @throws ReplyError NOTFOUND */
  record(name: string): CacheRecord {
    this.service(name)
    return this.#records.get(name)!
  }

  #apply(service: Service, settings: CacheSettings): void {
    const { cache, configuration, meter, time } = service
    const { maxMemory, policy, defaultTtlMs, maxTtlMs, itemBytesMax, connections = service.connectionsMax } = settings
    if (maxMemory !== undefined) configuration.set([['maxmemory', String(maxMemory)]])
    if (policy !== undefined) configuration.set([['maxmemory-policy', policy]])
    if (defaultTtlMs !== undefined) cache.defaultTtlMs = defaultTtlMs
    if (maxTtlMs !== undefined) cache.maxTtlMs = maxTtlMs
    if (itemBytesMax !== undefined) cache.itemBytesMax = Math.min(itemBytesMax, Math.floor(cache.capacity / 4))
    service.connectionsMax = connections
    const { operations, bytesIn, bytesOut } = { ...meter.quotas, ...settings }
    meter.change({ operations, bytesIn, bytesOut }, time.nowMs)
    service.accessControl.refreshAll()
  }

  /** A cache by name. @throws ReplyError NOTFOUND */
  service(name: string): Service {
    const service = this.services.get(name)
    if (service === undefined) throw new ReplyError(`there is no cache '${name}'`, 'NOTFOUND')
    return service
  }

  /**
   * Ends a cache with all that it holds and keeps, its tokens and its access keys. Its clients are told so at their next command, and
   * may say who they are elsewhere. @throws ReplyError NOTFOUND; MISCONF: that cannot be kept
   */
  async delete(name: string): Promise<void> {
    const service = this.service(name)
    if (service === this.home) throw new ReplyError(`the cache '${HOME}' cannot be deleted; flush it instead`)
    writeCaches(
      this.#kept,
      [...this.#records.values()].filter((record) => record.name !== name),
    )
    const gone = new ReplyError(`the cache '${name}' was deleted; say anew who you are`, 'NOTFOUND')
    for (const client of [...service.clients.values()]) {
      client.lose(gone)
      client.enter(this.home)
      this.home.accessControl.bar(client, gone)
    }
    try {
      this.entrance?.forget(name)
    } finally {
      await this.#end(name, service)
    }
  }

  /** Until what it keeps is removed, no other cache of this name can be made, which would keep it in the same place. */
  async #end(name: string, service: Service): Promise<void> {
    this.services.delete(name)
    this.#records.delete(name)
    this.#ending.add(name)
    try {
      this.transfers?.cancelOf(name)
      await service.stop()
      if (this.pathOf('caches') !== undefined) rmSync(this.#folderOf(name), { recursive: true, force: true })
    } finally {
      this.#ending.delete(name)
    }
  }

  /** Empties a cache. @throws ReplyError NOTFOUND */
  flush(name: string): void {
    const service = this.service(name)
    execute(new Client(0, service), Arguments.of(['FLUSHALL']), new SilentReply())
    service.endBatch()
  }

  /**
   * Makes a client who it says that it is. Returns whether that is so. With a token the name is a cache's, or '' for the token's own.
   *
   * @throws ReplyError why a secret opens nothing; a `WrongSecretError` is to be answered after its `delayMs`
   */
  authenticate(client: Client, name: string, secret: string): boolean {
    if (this.entrance === undefined) return client.service.accessControl.authenticate(client, name, secret)
    this.entrance.admit(client, name, secret)
    return true
  }

  #folderOf(name: string): string {
    return join(this.folder, 'caches', name)
  }

  /** Clears away what expires, in all caches. */
  start(): void {
    for (const { cache } of this.services.values()) cache.start()
  }

  /** Ends all caches, once what they keep is written: each of them, whatever fails of another. */
  async stop(): Promise<void> {
    await this.transfers?.stop()
    this.entrance?.tokens.keepUse()
    this.audit?.close()
    const ends = await Promise.allSettled([...this.services.values()].map((service) => service.stop()))
    const failure = ends.find((end) => end.status === 'rejected')
    if (failure) throw failure.reason
  }
}

/** @throws ReplyError what was reserved when the cache was made is less */
function refuseTooLarge({ cache }: Service, { maxMemory = 0 }: CacheSettings): void {
  if (maxMemory <= cache.capacity) return
  throw new ReplyError(`'${cache.name}' can have at most ${cache.capacity} bytes until the server starts again`)
}
