import type { Clock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import type { Mark, Store, StoreAnswer, StoreRecord } from '../../core/store.ts'
import { Member } from '../member.ts'
import { type FailoverSettings, type FailoverStoreOptions, resolveOptions } from './options.ts'

/** How a provider of a failover store stands. */
export interface ProviderStatus {
  readonly provider: string
  readonly state: 'up' | 'down'
  /** It answers reads and takes fills at this moment. */
  readonly serves: boolean
  /** How many names it has yet to be told. */
  readonly missed: number
  /** Why it is down. */
  readonly error?: StoreError
}

/** A store over several providers. */
export interface FailoverStore extends Store {
  /** How each provider stands, in their order. */
  status(): ProviderStatus[]
}

/**
 * A shared tier over several, the preferred one first: another server of the same kind, or another kind altogether.
 * Reads, fills and leases go to the first that is up; invalidations go to all. One that fails is left alone within one
 * `timeout`, in the same call, and used again once it was told what it missed. What is promised, and what is not:
 * `docs/stores.md`. All processes must list the same providers in the same order.
 *
 * @param providers stores of their own, such as `[valkeyStore(...), memcachedStore(...)]`; `close()` closes them
 * @throws OptionError (`ERR_OPTION`)
 */
export function failoverStore(providers: readonly Store[], options: FailoverStoreOptions = {}): FailoverStore {
  return new Providers(providers, resolveOptions(providers, options))
}

/**
 * Implementation note. Each provider is a truth of its own: its marks, its versions, its entries. They never mix: a mark or
 * a version is random, so what was read from one provider fits nothing in another, and a load that began on one and ends
 * on another stores nothing of use. So nothing has to be copied from one to the other, and nothing can be copied wrongly.
 *
 * Every version that is handed out names the provider's generation too, a tag of its own. To void all that a provider has
 * is to bump that tag: entries filled before carry the old one.
 */
class Providers implements FailoverStore {
  readonly name: string
  readonly #members: readonly Member[]
  readonly #clock: Clock
  readonly #generations = new Map<Member, string>()
  readonly #watchers = new Set<() => void>()
  /** Until when a provider that came back is left to those who have yet to tell it something. */
  readonly #restsUntilMs = new Map<Member, number>()
  #serving: Member | undefined

  constructor(providers: readonly Store[], { name, timeoutMs, onState, clock }: FailoverSettings) {
    this.name = name
    this.#clock = clock
    this.#members = providers.map((store) => {
      const tell = (isUp: boolean, error: StoreError | undefined) => {
        if (isUp) this.#restsUntilMs.set(member, clock.monotonic() + REST_MS)
        const why = isUp || error === undefined ? {} : { error }
        onState({ provider: store.name, state: isUp ? 'up' : 'down', ...why })
      }
      const member = new Member({ store, clock, timeoutMs, everything: GENERATION, onState: tell })
      return member
    })
    // Connections that are opened by the first call shall be there when it matters; a failure is nothing to act upon yet.
    for (const store of providers) void store.read([], [GENERATION]).catch(() => undefined)
    this.#serving = this.#members[0]
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    return await this.#first('read', async (member) => {
      const { entries, versions } = await member.call('read', async (store) =>
        whole(await store.read(keys, [...tags, GENERATION]), keys.length, tags.length + 1),
      )
      const generation = versions[tags.length]!
      const isSame = await this.#isSame(member, generation)
      return {
        // Versions that the cache remembers from before name the old generation: it may yet take old records for valid.
        entries: isSame ? entries : entries.map(({ mark, held }) => ({ mark, held: held === true })),
        versions: tags.map((_, at) => `${versions[at]}@${generation}`),
      }
    })
  }

  /** A fill that is not answered may yet arrive: the provider is told, before it is used again, that the key is void. */
  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    const [member] = this.#usable()
    if (member === undefined) throw this.#failed('fill')
    try {
      return await member.call('fill', (store) => store.fill(key, record, mark))
    } catch (error) {
      if (error instanceof StoreError && error.refused) throw error
      member.miss(key)
      return false
    }
  }

  /** The marks are those of the provider that serves: it is the one that the writer may fill. */
  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    const told = this.#members.map(async (member) => ({ member, marks: await member.invalidate(keys, fenceMs, held) }))
    const marks = new Map((await Promise.all(told)).map((answer) => [answer.member, answer.marks]))
    for (const member of this.#usable()) {
      const own = marks.get(member)
      if (own !== undefined) return [...own]
    }
    throw this.#failed('invalidate')
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    const told = await Promise.all(this.#members.map((member) => member.bump(tags, heldMs)))
    if (!told.includes(true)) throw this.#failed('bump')
  }

  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    return await this.#first('lease', (member) => member.call('lease', (store) => store.lease(key, holder, leaseMs)))
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#first('release', (member) => member.call('release', (store) => store.release(key, holder)))
  }

  watch(onDoubt: () => void): () => void {
    this.#watchers.add(onDoubt)
    return () => void this.#watchers.delete(onDoubt)
  }

  async close(): Promise<void> {
    this.#watchers.clear()
    await Promise.all(this.#members.map((member) => member.close()))
  }

  status(): ProviderStatus[] {
    const [serving] = this.#usable()
    return this.#members.map((member) => ({
      provider: member.store.name,
      state: member.isUp ? 'up' : 'down',
      serves: member === serving,
      missed: member.missed,
      ...(member.isUp || member.error === undefined ? {} : { error: member.error }),
    }))
  }

  /** The providers that are up, in their order; at the end those that came back a moment ago. */
  #usable(): Member[] {
    const nowMs = this.#clock.monotonic()
    const up = this.#members.filter(({ isUp }) => isUp)
    const rests = (member: Member) => nowMs < (this.#restsUntilMs.get(member) ?? nowMs)
    return [...up.filter((member) => !rests(member)), ...up.filter(rests)]
  }

  /** The answer of the first provider that is up and gives one. */
  async #first<T>(operation: string, run: (member: Member) => Promise<T>): Promise<T> {
    for (const member of this.#usable()) {
      const answer = await run(member).then(
        (value) => ({ value }),
        () => undefined,
      )
      if (answer === undefined) continue
      this.#serves(member)
      return answer.value
    }
    throw this.#failed(operation)
  }

  /** Versions that the cache remembers are those of the provider before: it is told to forget them, once it has its answer. */
  #serves(member: Member): void {
    if (member === this.#serving) return
    this.#serving = member
    this.#doubt()
  }

  /** Whether a provider still has the generation that it had. @throws StoreError when it does not keep any */
  async #isSame(member: Member, generation: string): Promise<boolean> {
    const before = this.#generations.get(member)
    this.#generations.set(member, generation)
    if (before === undefined || before === generation) return true
    this.#doubt()
    await member.call('read', async (store) => {
      const { versions } = await store.read([], [GENERATION])
      if (versions[0] !== generation) throw new StoreError('it does not keep what it is told')
    })
    return false
  }

  #doubt(): void {
    this.#clock.after(0, () => {
      for (const onDoubt of this.#watchers) onDoubt()
    })
  }

  #failed(operation: string): StoreError {
    const why = this.#members.map(({ store, error }) => `${store.name}: ${error?.message ?? 'it failed'}`).join('; ')
    return new StoreError(`no provider answered ${operation}: ${why}`, { cause: this.#members.at(-1)!.error })
  }
}

/**
 * Longer than any process waits between two probes: all that can reach a provider that is back have told it what it missed
 * before anybody reads from it, if another one can serve until then.
 */
const REST_MS = 1200
/** The tag that each version of a provider names. No tag of a cache begins like that. */
const GENERATION = '?generation'

/** A provider that leaves names out has failed. */
function whole(answer: StoreAnswer, keys: number, tags: number): StoreAnswer {
  const isWhole = (list: readonly unknown[], length: number) =>
    list?.length === length && list.every((one) => one !== undefined)
  if (isWhole(answer?.entries, keys) && isWhole(answer?.versions, tags)) return answer
  throw new StoreError(`it did not answer each of the ${keys + tags} names that it was asked for`)
}
