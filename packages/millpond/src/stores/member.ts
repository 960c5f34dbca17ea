import { type Attempt, Breaker } from '../core/breaker.ts'
import type { Clock } from '../core/clock.ts'
import type { StoreError } from '../core/errors.ts'
import { InvalidationBacklog } from '../core/invalidation-backlog.ts'
import { LOG_MAX, type Told } from '../core/invalidation-log.ts'
import type { Mark, Store } from '../core/store.ts'

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
  readonly #backlog: InvalidationBacklog
  readonly #stopWatching: (() => void) | undefined
  /** The longest fence that it was told, for what is told again. */
  #fenceMs = FENCE_MS_LEAST
  #error: StoreError | undefined

  constructor(options: MemberOptions) {
    const { store, everything, clock, timeoutMs } = options
    this.store = store
    this.#options = options
    this.#backlog = new InvalidationBacklog(everything ?? '', clock)
    this.#breaker = new Breaker({
      name: store.name,
      clock,
      timeoutMs,
      recover: (attempt) => this.#recover(attempt),
      isRecovered: () => this.#backlog.size === 0,
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
    return this.#backlog.size
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
    this.#backlog.miss({ kind: 'key', names: [key], held: false })
  }

  async close(): Promise<void> {
    this.#stopWatching?.()
    this.#breaker.close()
    await this.store.close()
  }

  async #tellOrKeep<T>(told: Told, run: (store: Store) => Promise<T>): Promise<T | undefined> {
    const { everything } = this.#options
    try {
      const answer = await this.call(told.kind === 'key' ? 'invalidate' : 'bump', run)
      this.#note(told)
      return answer
    } catch (error) {
      const isTooMuch = everything === undefined && this.#backlog.size + told.names.length > LOG_MAX
      if (isTooMuch) throw error
      this.#backlog.miss(told)
      return undefined
    }
  }

  /** Acknowledged; and told again if the store comes into doubt soon. */
  #note(told: Told): void {
    if (this.#options.everything !== undefined) this.#backlog.acknowledge(told)
  }

  async #recover(attempt: Attempt): Promise<void> {
    const { store } = this
    // Beside the names of caches, which do not begin so.
    const aside = (name: string) => `?${name}`
    const probe = (names: readonly string[]) =>
      attempt('probe', () => store.invalidate(names.map(aside), this.#fenceMs, false))
    const tell = async (told: Told): Promise<void> => {
      const { kind, names, held } = told
      await attempt<unknown>(kind === 'key' ? 'invalidate' : 'bump', () =>
        kind === 'key'
          ? store.invalidate(names, this.#fenceMs, held)
          : store.bump(names, held ? this.#fenceMs : undefined),
      )
      this.#note(told)
    }
    await this.#backlog.makeUp(probe, tell)
  }
}

/** No load that is filled in lasts longer, unless the cache says so by a longer fence. */
const FENCE_MS_LEAST = 30_000
