import { StoreError } from '../../core/errors.ts'
import { randomId } from '../../core/ids.ts'
import type { Random } from '../../core/random.ts'
import { type Mark, STORE_BATCH_MAX, type Store, type StoreAnswer, type StoreRecord } from '../../core/store.ts'
import { Names } from '../names.ts'
import { newMark, tombstoneText } from '../record-form.ts'
import { expiry, readStored, storedText } from '../stored-text.ts'
import type { ValkeyClient } from './client.ts'
import type { Connection } from './connection.ts'
import { connectionTo, settingsOf, type ValkeySettings, type ValkeyStoreOptions } from './options.ts'
import { ReadConnection } from './read-connection.ts'
import { FILL, LEASE, RELEASE, RENEW, run } from './scripts.ts'
import { ServerClock } from './server-clock.ts'

/**
 * A shared tier on Valkey, or on Redis 6.2 or later: one server, a primary with replicas, Sentinel or a cluster.
 *
 * @param target a client of iovalkey, ioredis or redis (node-redis), which is left open by `close()`; or a URL, for which
 *   a client is loaded and made when it is first used: `redis://host:6379`, `rediss://` with TLS, `valkey://`,
 *   `redis://host1,host2` or `redis+cluster://host` for a cluster, `redis+sentinel://host:26379/main`, `unix:///path`
 * @throws OptionError (`ERR_OPTION`) when the client is not recognised or an option cannot be used
 *
 * ```ts
 * const cache = createCache({ name: 'shop', store: valkeyStore('redis://localhost:6379') })
 * ```
 */
export function valkeyStore(target: ValkeyClient | string, options: ValkeyStoreOptions = {}): Store {
  const settings = settingsOf(options)
  const replicas = settings.replicas.map((replica, at) => connectionTo(replica, options, `replicas[${at}]`))
  return new ValkeyStore(connectionTo(target, options), replicas, settings)
}

/**
 * The store over connections. An entry is one text under one key (`stored-text.ts`). A fill is `SET NX` on an absent
 * key and else a script that compares the mark; a tombstone is a `SET`; a tag's version is a key of its own, made by
 * whoever asks first. A key stands until its fence ends, filled or not, so the fence holds for as long as the server
 * keeps what it acknowledged: not through an eviction, nor the loss of a primary, which is what `watch` is for.
 */
class ValkeyStore implements Store {
  readonly name: string
  readonly #connection: Connection
  readonly #reads: ReadConnection
  readonly #names: Names
  readonly #clock: ServerClock
  readonly #versionTtlMs: number
  readonly #random: Random
  readonly #stopWatching: () => void

  constructor(connection: Connection, replicas: readonly Connection[], settings: ValkeySettings) {
    this.name = settings.name
    this.#connection = connection
    this.#reads = new ReadConnection(connection, replicas)
    this.#names = new Names(settings.prefix)
    this.#clock = new ServerClock(settings.clock, () => connection.sendToPrimaries(['time']))
    this.#versionTtlMs = settings.versionTtlMs
    this.#random = settings.random
    this.#stopWatching = connection.watch(() => this.#clock.doubt())
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    const names = keys.map((key) => this.#names.entry(key))
    for (const tag of tags) names.push(this.#names.version(tag))
    if (names.length === 0) return { entries: [], versions: [] }
    const timeIsKnown = this.#clock.refresh()
    const texts = await this.#texts(names)
    if (timeIsKnown !== undefined) await timeIsKnown
    const nowMs = this.#clock.latestMs()
    const entries = keys.map((_, at) => readStored(texts[at], nowMs))
    const versions = tags.length === 0 ? NONE : await this.#versions(names.slice(keys.length), texts.slice(keys.length))
    return { entries, versions }
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    const timeIsKnown = this.#clock.refresh()
    if (timeIsKnown !== undefined) await timeIsKnown
    const text = storedText(record, this.#clock.earliestMs())
    const name = this.#names.entry(key)
    const life = expiry(record.keepMs)
    try {
      if (mark !== '') return await run(this.#connection, FILL, name, [mark, text, life[1] ?? ''])
      return (await this.#connection.send(['set', name, text, 'nx', ...life], name)) !== null
    } catch (error) {
      if (isFull(error))
        throw new StoreError((error as StoreError).message, { cause: (error as StoreError).cause, refused: true })
      throw error
    }
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    const life = expiry(fenceMs)
    return await allOf(keys, async (key) => {
      const name = this.#names.entry(key)
      const mark = newMark()
      try {
        await this.#connection.send(['set', name, tombstoneText(mark, held), ...life], name)
        return mark
      } catch (error) {
        // A server that is full takes no tombstone, yet it deletes. The fence is missing, so it fails all the same.
        if (isFull(error)) await this.#connection.send(['unlink', name], name)
        throw error
      }
    })
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    await allOf(tags, async (tag) => {
      const name = this.#names.version(tag)
      const version = heldMs === undefined ? randomId() : `!${randomId()}`
      await this.#connection.send(['set', name, version, ...expiry(heldMs ?? this.#versionTtlMs)], name)
    })
  }

  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    const [, lifeMs = '0'] = expiry(leaseMs)
    return await run(this.#connection, LEASE, this.#names.lease(key), [holder, lifeMs])
  }

  async release(key: string, holder: string): Promise<void> {
    await run(this.#connection, RELEASE, this.#names.lease(key), [holder])
  }

  watch(onDoubt: () => void): () => void {
    return this.#connection.watch(onDoubt)
  }

  async close(): Promise<void> {
    this.#stopWatching()
    await Promise.all([this.#connection.close(), this.#reads.close()])
  }

  /** The texts under these names, in as few commands as there are servers and the bound on a command allow. */
  #texts(names: string[]): Promise<unknown[]> {
    if (names.length <= STORE_BATCH_MAX) return this.#reads.mget(names)
    const parts: Promise<unknown[]>[] = []
    for (let at = 0; at < names.length; at += STORE_BATCH_MAX)
      parts.push(this.#reads.mget(names.slice(at, at + STORE_BATCH_MAX)))
    return Promise.all(parts).then((texts) => texts.flat())
  }

  /** The versions that were read, and new ones where there are none. */
  #versions(names: readonly string[], read: readonly unknown[]): readonly string[] | Promise<string[]> {
    if (read.every((version) => typeof version === 'string')) {
      if (this.#random() < RENEWED_SHARE) this.#renew(names, read)
      return read
    }
    return Promise.all(
      read.map((version, at) => (typeof version === 'string' ? version : this.#newVersion(names[at]!))),
    )
  }

  /**
   * Versions that are in use must not end, all that they stand for would have to be loaded anew at once: some reads, by
   * chance, let them live on. Nobody waits for that. A held version keeps its end: its writer may have died.
   */
  #renew(names: readonly string[], versions: readonly string[]): void {
    for (const [at, name] of names.entries()) {
      const version = versions[at]!
      if (!version.startsWith('!'))
        run(this.#connection, RENEW, name, [version, `${this.#versionTtlMs}`]).catch(() => undefined)
    }
  }

  /**
   * A new version of a tag that is put where still none is, else the one that another has put there meanwhile. Should
   * that be lost again, it is a version that nothing can be stored under.
   */
  async #newVersion(name: string): Promise<string> {
    const version = randomId()
    const put = await this.#connection.send(['set', name, version, 'nx', ...expiry(this.#versionTtlMs)], name)
    if (put !== null) return version
    const [other] = (await this.#connection.send(['mget', name], name)) as unknown[]
    return typeof other === 'string' ? other : version
  }
}

const NONE: readonly string[] = []

/** One read in so many renews the versions that it read: enough for tags that many entries depend on. */
const RENEWED_SHARE = 0.001

/** Runs something for each name, all of them even if one fails; then throws what failed first. */
async function allOf<T>(names: readonly string[], run: (name: string) => Promise<T>): Promise<T[]> {
  if (names.length === 1) return [await run(names[0]!)]
  const settled = await Promise.allSettled(names.map(run))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return settled.map((one) => (one as PromiseFulfilledResult<T>).value)
}

/** Whether the server refused to store because `maxmemory` is reached. Redis 6.2 says of a script where that was. */
function isFull(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof Error && /^OOM |: -OOM /.test(error.cause.message)
}
