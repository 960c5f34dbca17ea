import { type Timer, timeLimit } from '../core/clock.ts'
import { type Codec, jsonCodec } from '../core/codec.ts'
import { positiveCount } from '../core/count.ts'
import { durationMs } from '../core/duration.ts'
import { ClosedError, WriteBehindError } from '../core/errors.ts'
import type { Journal } from '../core/journal.ts'
import type { CacheHost } from './host.ts'
import { Room } from './room.ts'
import type { WriteBehindOptions } from './write-behind-options.ts'
import { deliver, show } from './write-delivery.ts'
import type { Change, Failure, WriteBehind, WriteQueue, WriteTarget } from './write-queue.ts'
import { decodeChange, encodeChange } from './write-record.ts'
import { planRetry, type RetryPlan } from './write-retry.ts'

/**
 * Write-behind for a source: `cache.define({ ..., writeMode: writeBehind({ journal }) })`. It is a function of its own so
 * that who does not call it does not bundle it.
 */
export function writeBehind<I, V>(options: WriteBehindOptions<I, V> = {}): WriteBehind<I, V> {
  return { open: (target) => new WriteBehindQueue(target, options) }
}

interface Write<I, V> extends Change<I, V> {
  readonly key: string
  /** The journal's records that are settled when this write is: its own, and those of writes that it replaced. */
  readonly sequences: number[]
  /** Called with the outcome of the next try. */
  readonly watchers: ((failure: Failure | undefined) => void)[]
  dueMs: number
  attempts: number
  firstTriedMs: number
}

/**
 * Writes to the source later and in batches. The newest change of a key replaces older ones that wait; changes of one key
 * are never under way at the same time, so they arrive in order; one batch is under way at a time.
 *
 * A failed batch is tried again after a pause, each time in smaller batches, so that one bad row soon stands alone and
 * holds up nobody else. Delivery is at least once: after a crash between the source's commit and the journal's note of it
 * the write is repeated, on top of what others may have written since. So writes should be idempotent (UPSERT), and
 * conditional on a version where other processes write the same rows.
 */
class WriteBehindQueue<I, V> implements WriteQueue<I, V> {
  ready: Promise<void> | undefined
  readonly #target: WriteTarget<I, V>
  readonly #host: CacheHost
  readonly #name: string
  readonly #codec: Codec
  readonly #journal: Journal | undefined
  readonly #onGiveUp: WriteBehindOptions<I, V>['onGiveUp']
  readonly #maxBatch: number
  readonly #delayMs: number
  readonly #closeTimeoutMs: number
  readonly #retry: RetryPlan
  readonly #room: Room
  /** By key, oldest first. */
  readonly #waiting = new Map<string, Write<I, V>>()
  /** The batch under way. */
  readonly #flying = new Map<string, Write<I, V>>()
  /** Records of given up writes that the journal still has: a later write of the key settles them too. */
  readonly #leftover = new Map<string, number[]>()
  #sequence = 0
  /** Accepted since the last batch was put together. */
  #fresh = 0
  #running: Promise<void> | undefined
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #closing: Promise<void> | undefined
  #ended = false
  #onEmpty: (() => void) | undefined

  constructor(target: WriteTarget<I, V>, options: WriteBehindOptions<I, V>) {
    const { host } = target
    this.#host = host
    this.#target = target
    this.#name = target.options.name
    this.#codec = target.options.codec ?? jsonCodec
    this.#journal = options.journal
    this.#onGiveUp = options.onGiveUp
    this.#maxBatch = positiveCount(options.maxBatch, 'maxBatch', 100)
    this.#delayMs = durationMs(options.delay ?? 100, 'delay')
    this.#closeTimeoutMs = durationMs(options.closeTimeout ?? 8_000, 'closeTimeout')
    this.#retry = planRetry(options.retry ?? {}, host.random)
    this.#room = new Room(positiveCount(options.maxPending, 'maxPending', 10_000))
    if (options.journal) this.#startReplay(options.journal)
  }

  pending(key: string): Change<I, V> | undefined {
    return this.#waiting.get(key) ?? this.#flying.get(key)
  }

  async add(change: Change<I, V>): Promise<void> {
    await this.ready
    if (this.#closing) throw this.#closedError()
    const key = this.#target.key(change.id)
    const text = this.#journal && encodeChange(change, this.#codec)
    await this.#room.enter(this.#waiting.has(key))
    const sequence = ++this.#sequence
    try {
      await this.#journal?.append({ sequence, key, value: text! })
      if (this.#ended) throw this.#closedError()
    } catch (error) {
      this.#leave()
      throw error
    }
    await this.#acceptAndShow(key, change, sequence)
  }

  async flush(): Promise<void> {
    await this.ready
    const writes = [...this.#waiting.values(), ...this.#flying.values()]
    const outcomes = Promise.all(
      writes.map((write) => new Promise<Failure | undefined>((done) => write.watchers.push(done))),
    )
    this.#runAll()
    const failures = (await outcomes).filter((outcome) => outcome !== undefined)
    if (failures.length === 0) return
    const reason = `${failures.length} of ${writes.length} writes of ${this.#name} failed; they stay queued and are tried again`
    throw new WriteBehindError(undefined, reason, { cause: failures[0]!.error })
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #acceptAndShow(key: string, change: Change<I, V>, sequence: number): Promise<void> {
    const replaced = this.#waiting.get(key)
    const write = this.#accept(key, change, sequence)
    try {
      await show(this.#target, change)
    } catch (error) {
      // The cache refuses the value: what was accepted before it stands again, unless it is under way already.
      if (this.#waiting.get(key) !== write) return
      const sequences = write.sequences.filter((at) => at !== sequence)
      if (replaced) this.#waiting.set(key, { ...replaced, sequences })
      else {
        this.#waiting.delete(key)
        if (sequences.length > 0) this.#leftover.set(key, sequences)
        this.#leave()
      }
      this.#settle([sequence])
      throw error
    }
  }

  #accept(key: string, { id, value, removed }: Change<I, V>, sequence: number): Write<I, V> {
    const replaced = this.#waiting.get(key)
    const sequences = replaced?.sequences ?? [...(this.#leftover.get(key) ?? [])]
    this.#leftover.delete(key)
    if (this.#journal) sequences.push(sequence)
    const nowMs = this.#host.clock.monotonic()
    const dueMs = Math.min(replaced?.dueMs ?? Number.POSITIVE_INFINITY, this.#closing ? nowMs : nowMs + this.#delayMs)
    const watchers = replaced?.watchers ?? []
    const write = { id, value, removed, key, sequences, watchers, dueMs, attempts: 0, firstTriedMs: nowMs }
    this.#waiting.set(key, write)
    if (replaced) this.#leave()
    else if (++this.#fresh % this.#maxBatch === 0) this.#runAll(0)
    this.#arm(dueMs)
    return write
  }

  /** Makes due whatever waits (and has not failed more than `attempts` times), and runs. */
  #runAll(attempts: number = Number.POSITIVE_INFINITY): void {
    for (const write of this.#waiting.values()) if (write.attempts <= attempts) write.dueMs = Number.NEGATIVE_INFINITY
    this.#run()
  }

  #run(): void {
    if (!this.#ended) this.#running ??= this.#runBatches()
  }

  async #runBatches(): Promise<void> {
    // Writes that are accepted in this same tick may share the batch.
    await Promise.resolve()
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#send(batch)
    this.#running = undefined
    let dueMs = Number.POSITIVE_INFINITY
    for (const write of this.#waiting.values()) dueMs = Math.min(dueMs, write.dueMs)
    this.#arm(dueMs)
  }

  /** Due writes, oldest first. After each failure a write shares its batch with a quarter as many others. */
  #nextBatch(): Write<I, V>[] {
    const nowMs = this.#host.clock.monotonic()
    const batch: Write<I, V>[] = []
    let limit = this.#maxBatch
    this.#fresh = 0
    for (const write of this.#waiting.values()) {
      if (write.dueMs > nowMs) continue
      limit = Math.min(limit, Math.max(1, Math.floor(this.#maxBatch / 4 ** write.attempts)))
      if (batch.length >= limit) break
      batch.push(write)
    }
    return batch
  }

  async #send(batch: readonly Write<I, V>[]): Promise<void> {
    const nowMs = this.#host.clock.monotonic()
    for (const write of batch) {
      if (write.attempts++ === 0) write.firstTriedMs = nowMs
      this.#waiting.delete(write.key)
      this.#flying.set(write.key, write)
    }
    const outcomes = await deliver(this.#target, batch, (key) => this.#waiting.get(key))
    if (this.#ended) return
    this.#flying.clear()
    const settled: number[] = []
    for (const [at, write] of batch.entries()) {
      const failure = outcomes[at]
      if (failure) this.#failed(write, failure.error)
      else {
        settled.push(...write.sequences)
        this.#leave()
      }
      for (const done of write.watchers.splice(0)) done(failure)
    }
    this.#settle(settled)
  }

  /** Queues a failed write again, unless a newer one replaces it or its tries are used up. */
  #failed(write: Write<I, V>, error: unknown): void {
    const { key, attempts } = write
    const nowMs = this.#host.clock.monotonic()
    const newer = this.#waiting.get(key)
    const pauseMs = newer ? 0 : this.#retry(attempts, nowMs - write.firstTriedMs)
    this.#host.emit('writeBehindError', { key, attempt: attempts, error, givenUp: pauseMs === undefined })
    if (newer) {
      newer.sequences.unshift(...write.sequences)
      this.#leave()
    } else if (pauseMs !== undefined) {
      write.dueMs = nowMs + pauseMs
      this.#waiting.set(key, write)
    } else void this.#host.track(this.#giveUp(write, error).finally(() => this.#leave()))
  }

  async #giveUp({ key, id, value, removed, attempts, sequences }: Write<I, V>, error: unknown): Promise<void> {
    if (this.#journal) this.#leftover.set(key, sequences)
    // Readers shall see what the source has again.
    await this.#host.delete(key).catch(() => {})
    if (!this.#onGiveUp) return this.#host.logger.error({ key, attempts, error }, 'a write-behind write was given up')
    try {
      await this.#onGiveUp({ key, id, value, removed, error, attempts })
    } catch (thrown) {
      return this.#host.logger.error({ key, attempts, error, thrown }, 'onGiveUp failed')
    }
    if (this.#leftover.get(key) === sequences) this.#leftover.delete(key)
    this.#settle(sequences)
  }

  #leave(): void {
    this.#room.leave()
    if (this.#room.taken === 0) this.#onEmpty?.()
  }

  #settle(sequences: readonly number[]): void {
    if (!this.#journal || sequences.length === 0) return
    const settling = this.#journal.settle(sequences).catch((error: unknown) => {
      this.#host.logger.error({ error }, 'the journal could not note delivered writes: the next start repeats them')
    })
    void this.#host.track(settling)
  }

  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs || this.#running) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#host.clock.after(Math.max(0, atMs - this.#host.clock.monotonic()), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.#run()
    })
  }

  #startReplay(journal: Journal): void {
    const ready = this.#replay(journal)
    this.ready = ready
    ready.then(
      () => (this.ready = undefined),
      (error: unknown) => this.#host.logger.error({ error }, 'the journal of write-behind could not be read'),
    )
  }

  /** Accepts again what an earlier life of the process acknowledged and did not deliver. */
  async #replay(journal: Journal): Promise<void> {
    for (const record of await journal.open()) {
      this.#sequence = Math.max(this.#sequence, record.sequence)
      try {
        const change = decodeChange<I, V>(record, this.#codec)
        const key = this.#target.key(change.id)
        // Nobody waits for room yet. No turn is given to the batches before the newest change of each key is known.
        void this.#room.enter(true)
        this.#accept(key, change, record.sequence)
      } catch (error) {
        this.#host.emit('writeBehindError', { key: record.key, attempt: 0, error, givenUp: true })
        this.#host.logger.error({ key: record.key, error }, 'a record of the journal could not be decoded; it is kept')
      }
    }
    const shown = [...this.#waiting.values()].map((write) => show(this.#target, write))
    for (const outcome of await Promise.allSettled(shown)) {
      if (outcome.status === 'rejected')
        this.#host.logger.error({ error: outcome.reason as unknown }, 'the cache refuses a replayed value')
    }
  }

  async #drain(): Promise<void> {
    this.#room.close(this.#closedError())
    await this.ready?.catch(() => {})
    if (this.#room.taken > 0) {
      const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve))
      this.#runAll()
      await timeLimit(
        this.#host.clock,
        this.#closeTimeoutMs,
        () => empty,
        () => {},
      )
    }
    this.#timer?.cancel()
    this.#ended = true
    const late = [...this.#flying.values(), ...this.#waiting.values()]
    for (const write of late) await this.#abandon(write)
    await this.#journal?.close()
    if (late.length === 0 || this.#journal) return
    throw new WriteBehindError(undefined, `${this.#name} was closed before ${late.length} writes were delivered`)
  }

  /** Reports a write that could not be delivered in time. With a journal the next start delivers it. */
  async #abandon({ key, id, value, removed, attempts, watchers }: Write<I, V>): Promise<void> {
    const error = new WriteBehindError(key, `${this.#name} was closed before ${key} was written`)
    this.#host.emit('writeBehindError', { key, attempt: attempts, error, givenUp: !this.#journal })
    for (const done of watchers) done({ error })
    if (this.#journal)
      return this.#host.logger.warn({ key, attempts }, 'a write waits in the journal for the next start')
    try {
      await this.#onGiveUp?.({ key, id, value, removed, error, attempts })
    } catch (thrown) {
      this.#host.logger.error({ key, attempts, thrown }, 'onGiveUp failed')
    }
  }

  #closedError(): ClosedError {
    return new ClosedError(`the write-behind queue of ${this.#name}`)
  }
}
