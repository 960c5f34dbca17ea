import type { Clock } from '../../core/clock.ts'
import { ServiceError, StoreError } from '../../core/errors.ts'
import { type Mark, STORE_BATCH_MAX, type Store, type StoreAnswer, type StoreRecord } from '../../core/store.ts'
import { Names } from '../names.ts'
import { newMark, recordText } from '../record-form.ts'
import { readStored } from '../stored-text.ts'
import type { Link } from './link.ts'
import type { StoreSettings } from './options.ts'
import type { ServiceReply } from './reply-reader.ts'
import type { CommandWord } from './words.ts'

/**
 * A shared tier on Millpond's own service. Each step of the port is one command (`FILL …`), and so one round trip: the server
 * compares marks, makes new ones, and turns lives into moments by its own clock, which it tells with every read. So no clock is
 * estimated, and nothing is asked twice. What is stored is what `millpond/valkey` stores, under the same keys: processes of both
 * kinds share a cache.
 *
 * While there is no connection calls fail at once, instead of waiting for one: what the cache wants is an answer now.
 */
export class ServiceStore implements Store {
  readonly name: string
  readonly #link: Link
  readonly #names: Names
  readonly #settings: StoreSettings
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #close: () => Promise<void>

  /** @param close ends the link, where it is the store's own */
  constructor(link: Link, settings: StoreSettings, clock: Pick<Clock, 'monotonic'>, close: () => Promise<void>) {
    this.name = settings.name
    this.#link = link
    this.#names = new Names(settings.prefix)
    this.#settings = settings
    this.#clock = clock
    this.#close = close
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    const names = keys.map((key) => this.#names.entry(key))
    for (const tag of tags) names.push(this.#names.version(tag))
    if (names.length === 0) return { entries: [], versions: [] }
    const { nowMs, texts } = await this.#texts(names)
    const entries = keys.map((_, at) => readStored(texts[at], nowMs))
    if (tags.length === 0) return { entries, versions: [] }
    return { entries, versions: await this.#versions(names.slice(keys.length), texts.slice(keys.length)) }
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    try {
      return (await this.#send(['FILL', 'PUT', this.#names.entry(key), mark, recordText(newMark(), record)])) === 1
    } catch (error) {
      if (!isRefusal(error)) throw error
      throw new StoreError((error as Error).message, { cause: (error as Error).cause, refused: true })
    }
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    if (keys.length === 0) return []
    const names = keys.map((key) => this.#names.entry(key))
    return (await this.#send(['FILL', 'FENCE', lifeOf(fenceMs), held ? 1 : 0, ...names])) as string[]
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    if (tags.length === 0) return
    const names = tags.map((tag) => this.#names.version(tag))
    const lifeMs = heldMs ?? this.#settings.versionTtlMs
    await this.#send(['FILL', 'BUMP', lifeOf(lifeMs), heldMs === undefined ? 0 : 1, ...names])
  }

  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    const life = Math.max(1, Math.ceil(leaseMs))
    return (await this.#send(['FILL', 'LEASE', this.#names.lease(key), holder, life])) === 1
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#send(['FILL', 'RELEASE', this.#names.lease(key), holder])
  }

  watch(onDoubt: () => void): () => void {
    return this.#link.listen({ down: onDoubt })
  }

  async close(): Promise<void> {
    await this.#close()
  }

  /** The texts under these names, and what time it is at the server by now, at the latest. */
  async #texts(names: readonly string[]): Promise<{ nowMs: number; texts: readonly ServiceReply[] }> {
    const askedAtMs = this.#clock.monotonic()
    const parts: Promise<ServiceReply>[] = []
    for (let at = 0; at < names.length; at += STORE_BATCH_MAX) {
      parts.push(this.#send(['FILL', 'READ', ...names.slice(at, at + STORE_BATCH_MAX)]))
    }
    const answers = (await Promise.all(parts)) as (readonly ServiceReply[])[]
    // The server read its clock between the question and the answer: what this took is the most that has passed since.
    const tookMs = this.#clock.monotonic() - askedAtMs
    const nowMs = Math.max(...answers.map(([now]) => Number(now))) + tookMs
    return { nowMs, texts: answers.flatMap(([, ...texts]) => texts) }
  }

  /** The versions that were read, and new ones where there are none. Some reads, by chance, let those in use live on. */
  async #versions(names: readonly string[], read: readonly ServiceReply[]): Promise<readonly string[]> {
    const isWhole = read.every((version) => typeof version === 'string')
    if (isWhole && this.#settings.random() >= RENEWED_SHARE) return read
    const asked = this.#send(['FILL', 'VERSION', this.#settings.versionTtlMs, ...names])
    if (!isWhole) return (await asked) as string[]
    asked.catch(() => undefined)
    return read
  }

  async #send(words: readonly CommandWord[]): Promise<ServiceReply> {
    try {
      return await this.#link.send(words, { onlyNow: true, needs: 'fill' })
    } catch (error) {
      throw new StoreError((error as Error).message, { cause: error })
    }
  }
}

/** One read in so many lets the versions that it read live on: enough for tags that many entries depend on. */
const RENEWED_SHARE = 0.001

/** A life as the server takes it: more than it can count is for ever. */
function lifeOf(lifeMs: number): number | string {
  return lifeMs === Number.POSITIVE_INFINITY ? 'inf' : lifeMs
}

/** Whether the server is well, and took only this record not: memory is full, or the record is too large. */
function isRefusal(error: unknown): boolean {
  const { cause } = error as Error
  return cause instanceof ServiceError && (cause.word === 'OOM' || /exceeds maximum/.test(cause.message))
}
