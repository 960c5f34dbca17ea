import { type Attempt, Breaker } from '../core/breaker.ts'
import type { Clock } from '../core/clock.ts'
import type { StoreError } from '../core/errors.ts'
import { InvalidationLog, LOG_MAX, type Told } from '../core/invalidation-log.ts'
import { type Mark, STORE_BATCH_MAX, type Store } from '../core/store.ts'

/** What a member needs to know. */
export interface MemberOptions {
  readonly store: Store
  readonly clock: Clock
  /** How long a call may take. */
  readonly timeoutMs: number
  /**
   * The tag that voids all that the store has, for when it missed more than can be remembered. `undefined`: there is
   * none, and what would be too much is refused.
   */
  readonly everything: string | undefined
  readonly onState: (isUp: boolean, error: StoreError | undefined) => void
}

/**
 * One of several stores that stand behind one: whether it can be used, and what it has yet to be told. A member that
 * fails is left alone and probed, by a write, as a replica or a full server only reads well. It counts as up again once it was
 * told every invalidation that it missed, and again those that it acknowledged in the last seconds before it failed.
 */
export class Member {
  readonly store: Store
  readonly #options: MemberOptions
  readonly #breaker: Breaker
  readonly #missed: InvalidationLog
  readonly #recent: InvalidationLog
  readonly #stopWatching: (() => void) | undefined
  /** The longest fence that it was told, for what is told again. */
  #fenceMs = FENCE_MS_LEAST
  #error: StoreError | undefined

  constructor(options: MemberOptions) {
    const { store, everything, clock, timeoutMs } = options
    this.store = store
    this.#options = options
    this.#missed = new InvalidationLog(everything ?? '')
    this.#recent = new InvalidationLog(everything ?? '')
    this.#breaker = new Breaker({
      name: store.name,
      clock,
      timeoutMs,
      recover: (attempt) => this.#recover(attempt),
      isRecovered: () => this.#missed.isEmpty,
      onState: (state) => {
        if (state === 'closed') options.onState(true, undefined)
        else queueMicrotask(() => options.onState(false, this.#error)) // why it failed is told after that it did
      },
      onError: (_, error) => {
        this.#error = error
      },
    })
    if (everything !== undefined) this.#stopWatching = store.watch?.(() => this.#breaker.doubt())
  }

  get isUp(): boolean {
    return !this.#breaker.isOpen
  }

  /** Why it is down, or was the last time. */
  get error(): StoreError | undefined {
    return this.#error
  }

  /** How many names it has yet to be told. */
  get missed(): number {
    return this.#missed.size
  }

  /** Runs one call against the store. @throws StoreError at once while it is down, and when the call fails or is late */
  async call<T>(operation: string, run: (store: Store) => Promise<T>): Promise<T> {
    return await this.#breaker.call(operation, () => run(this.store))
  }

  /** Puts tombstones, later if it can not be told now. Returns their marks; `undefined` in that case. */
  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<readonly Mark[] | undefined> {
    if (keys.length === 0) return []
    this.#fenceMs = Math.max(this.#fenceMs, fenceMs)
    return await this.#tellOrKeep({ kind: 'key', names: keys, held }, (store) => store.invalidate(keys, fenceMs, held))
  }

  /** Gives tags new versions, later if it can not be told now. Returns whether it was. */
  async bump(tags: readonly string[], heldMs: number | undefined): Promise<boolean> {
    if (tags.length === 0) return true
    this.#fenceMs = Math.max(this.#fenceMs, heldMs ?? 0)
    const told: Told = { kind: 'tag', names: tags, held: heldMs !== undefined }
    return (await this.#tellOrKeep(told, (store) => store.bump(tags, heldMs).then(() => true))) ?? false
  }

  /** A command that was not answered may yet arrive: the key is invalidated before it is read again. */
  miss(key: string): void {
    this.#missed.add({ kind: 'key', names: [key], held: false }, this.#options.clock.monotonic())
  }

  async close(): Promise<void> {
    this.#stopWatching?.()
    this.#breaker.close()
    await this.store.close()
  }

  async #tellOrKeep<T>(told: Told, run: (store: Store) => Promise<T>): Promise<T | undefined> {
    const { clock, everything } = this.#options
    try {
      const answer = await this.call(told.kind === 'key' ? 'invalidate' : 'bump', run)
      this.#note(told)
      return answer
    } catch (error) {
      const isTooMuch = everything === undefined && this.#missed.size + told.names.length > LOG_MAX
      if (isTooMuch) throw error
      this.#missed.add(told, clock.monotonic())
      return undefined
    }
  }

  /** Acknowledged; and told again if the store comes into doubt soon. */
  #note(told: Told): void {
    const { clock, everything } = this.#options
    if (everything === undefined) return
    const nowMs = clock.monotonic()
    this.#recent.forgetBefore(nowMs - RECENT_MS)
    this.#recent.add(told, nowMs)
  }

  async #recover(attempt: Attempt): Promise<void> {
    const { store } = this
    const nowMs = () => this.#options.clock.monotonic()
    this.#recent.forgetBefore(nowMs() - RECENT_MS)
    this.#recent.moveTo(this.#missed)
    await attempt('probe', () => store.invalidate(PROBES, this.#fenceMs, false))
    const tell = async (told: Told): Promise<void> => {
      const { kind, names, held } = told
      await attempt<unknown>(kind === 'key' ? 'invalidate' : 'bump', () =>
        kind === 'key'
          ? store.invalidate(names, this.#fenceMs, held)
          : store.bump(names, held ? this.#fenceMs : undefined),
      )
      this.#note(told)
    }
    await this.#missed.drain(tell, nowMs)
  }
}

/** Several, so that of several servers behind a store each is likely to be asked. */
const PROBES = Array.from({ length: Math.min(16, STORE_BATCH_MAX) }, (_, at) => `?probe ${at}`)
/** How long an acknowledged invalidation may yet be lost by a failover, or by a restart from a log that is synced each second. */
const RECENT_MS = 30_000
/** No load that is filled in lasts longer, unless the cache says so by a longer fence. */
const FENCE_MS_LEAST = 30_000
