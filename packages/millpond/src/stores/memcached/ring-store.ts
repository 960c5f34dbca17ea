import type { Clock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import { randomId } from '../../core/ids.ts'
import type { Mark, Store, StoreAnswer, StoreRead, StoreRecord } from '../../core/store.ts'
import { Member } from '../member.ts'
import { Ring } from './ring.ts'

/** What a ring needs to know. */
export interface RingStoreOptions {
  readonly name: string
  /** The name of each server is what decides which keys and tags are its own. */
  readonly servers: readonly { readonly name: string; readonly store: Store }[]
  readonly timeoutMs: number
  readonly clock: Clock
}

/**
 * A `Store` over several servers, each with the keys and tags that `Ring` gives it.
 *
 * A server that is down keeps its keys: if others took them over, what it has would be old when it is back. Meanwhile its
 * keys are misses that nothing can be filled on, its tags have versions that nobody else is told, so that nothing under
 * them is valid, and its invalidations are kept and told before it is used again. Only when no server is up do calls
 * reject.
 */
export class RingStore implements Store {
  readonly name: string
  readonly #members: readonly Member[]
  readonly #ring: Ring
  readonly #watchers = new Set<() => void>()

  constructor({ name, servers, timeoutMs, clock }: RingStoreOptions) {
    this.name = name
    this.#ring = new Ring(servers.map((server) => server.name))
    // What was made up while a server was down is not to be remembered once it is back.
    const onState = (isUp: boolean) => isUp && this.#doubt()
    this.#members = servers.map(({ store }) => new Member({ store, clock, timeoutMs, everything: undefined, onState }))
  }

  async read(keys: readonly string[], tags: readonly string[]): Promise<StoreAnswer> {
    const entries: StoreRead[] = keys.map(() => ({ mark: randomId() }))
    const versions = tags.map(() => randomId())
    const [keyParts, tagParts] = [this.#parts(keys), this.#parts(tags)]
    const readOne = async (member: Member): Promise<void> => {
      const [keysOf, tagsOf] = [keyParts.get(member) ?? NOTHING, tagParts.get(member) ?? NOTHING]
      const answer = await member
        .call('read', (store) => store.read(keysOf.names, tagsOf.names))
        .catch(() => this.#unlessAllAreDown())
      for (const [to, at] of keysOf.places.entries()) entries[at] = answer?.entries[to] ?? entries[at]!
      for (const [to, at] of tagsOf.places.entries()) versions[at] = answer?.versions[to] ?? versions[at]!
    }
    await Promise.all([...new Set([...keyParts.keys(), ...tagParts.keys()])].map(readOne))
    return { entries, versions }
  }

  async fill(key: string, record: StoreRecord, mark: Mark): Promise<boolean> {
    const member = this.#of(key)
    if (!member.isUp) return this.#unlessAllAreDown() ?? false
    try {
      return await member.call('fill', (store) => store.fill(key, record, mark))
    } catch (error) {
      if (error instanceof StoreError && error.refused) throw error
      member.miss(key)
      this.#unlessAllAreDown()
      return false
    }
  }

  async invalidate(keys: readonly string[], fenceMs: number, held: boolean): Promise<Mark[]> {
    const marks: Mark[] = keys.map(() => randomId())
    const told = [...this.#parts(keys)].map(async ([member, { names, places }]) => {
      const answer = await member.invalidate(names, fenceMs, held)
      if (answer === undefined) this.#unlessAllAreDown()
      for (const [to, at] of places.entries()) marks[at] = answer?.[to] ?? marks[at]!
    })
    await Promise.all(told)
    return marks
  }

  async bump(tags: readonly string[], heldMs: number | undefined): Promise<void> {
    const told = [...this.#parts(tags)].map(async ([member, { names }]) => {
      if (!(await member.bump(names, heldMs))) this.#unlessAllAreDown()
    })
    await Promise.all(told)
  }

  /** Where the server is down, everybody may load. */
  async lease(key: string, holder: string, leaseMs: number): Promise<boolean> {
    const asked = this.#of(key).call('lease', (store) => store.lease(key, holder, leaseMs))
    return await asked.catch(() => {
      this.#unlessAllAreDown()
      return true
    })
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#of(key)
      .call('release', (store) => store.release(key, holder))
      .catch(() => this.#unlessAllAreDown())
  }

  watch(onDoubt: () => void): () => void {
    const stops = this.#members.map(({ store }) => store.watch?.(onDoubt))
    this.#watchers.add(onDoubt)
    return () => {
      this.#watchers.delete(onDoubt)
      for (const stop of stops) stop?.()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()))
  }

  #of(name: string): Member {
    return this.#members[this.#ring.placeOf(name)]!
  }

  /** Names by the server that has them, with their places in the list. */
  #parts(names: readonly string[]): Map<Member, Part> {
    const parts = new Map<Member, Part>()
    for (const [at, name] of names.entries()) {
      const member = this.#of(name)
      const part = parts.get(member) ?? { names: [], places: [] }
      parts.set(member, part)
      part.names.push(name)
      part.places.push(at)
    }
    return parts
  }

  #unlessAllAreDown(): undefined {
    if (this.#members.some(({ isUp }) => isUp)) return undefined
    throw new StoreError(`no server of ${this.name} answers`, { cause: this.#members[0]!.error })
  }

  #doubt(): void {
    for (const onDoubt of this.#watchers) onDoubt()
  }
}

/** The names of one server. */
interface Part {
  readonly names: string[]
  readonly places: number[]
}

const NOTHING: Part = { names: [], places: [] }
