import { STORE_BATCH_MAX, type StoreAnswer, type StoreRead } from '../core/store.ts'

/** Reads keys and tags from a store; `undefined` where it does not answer. */
type ReadStore = (keys: readonly string[], tags: readonly string[]) => Promise<StoreAnswer | undefined>

/**
 * Makes few reads of many: keys and tags that are asked for in one tick travel in one call, each name once; where they
 * are more than a call may name, in several, one after the other, so that each has its own time.
 */
export class ReadBatches {
  readonly #read: ReadStore
  #open: Batch | undefined

  constructor(read: ReadStore) {
    this.#read = read
  }

  /**
   * Asks what stands under a key, where one is given, and for the tags' versions. Gives what `use` makes of the answer, which
   * is `undefined` where the store does not answer. Who reads takes one promise of a batch this way, whatever is made of it.
   */
  ask<T>(key: string | undefined, tags: readonly string[], use: Use<Answer | undefined, T>): Promise<T> {
    if (tags.length >= STORE_BATCH_MAX) return this.#askInParts(key, tags).then(use)
    const batch = this.#batch(tags.length + 1)
    const keyAt = key === undefined ? -1 : positionOf(key, batch.keys)
    const versions = batch.lastVersions?.tags === tags ? batch.lastVersions : new AskedVersions(tags, batch.tags)
    batch.lastVersions = versions
    return batch.answer.then((answer) =>
      use(answer && { entry: answer.entries[keyAt], versions: versions.of(answer.versions) }),
    )
  }

  async #askInParts(key: string | undefined, tags: readonly string[]): Promise<Answer | undefined> {
    const most = STORE_BATCH_MAX - 1
    const asked = [this.ask(key, tags.slice(0, most), same), this.ask(undefined, tags.slice(most), same)] as const
    const [first, rest] = await Promise.all(asked)
    return first && rest && { entry: first.entry, versions: [...first.versions, ...rest.versions] }
  }

  /** The batch of this tick, or another one where it has no room for so many names. */
  #batch(names: number): Batch {
    const open = this.#open
    if (open !== undefined && open.keys.size + open.tags.size + names <= STORE_BATCH_MAX) return open
    const batch: Batch = { keys: new Map(), tags: new Map(), lastVersions: undefined, answer: NOTHING }
    this.#open = batch
    batch.answer = this.#send(batch, open?.answer)
    return batch
  }

  async #send(batch: Batch, before: Promise<unknown> | undefined): Promise<StoreAnswer | undefined> {
    await undefined
    if (this.#open === batch) this.#open = undefined
    if (before !== undefined) await before
    return await this.#read([...batch.keys.keys()], [...batch.tags.keys()])
  }
}

/** What is made of an answer, at once or later. */
export type Use<A, T> = (answer: A) => T | PromiseLike<T>

/** The part of an answer that one asked for. */
export interface Answer {
  readonly entry: StoreRead | undefined
  readonly versions: readonly string[]
}

/** What is asked for together: names with their places. */
interface Batch {
  readonly keys: Map<string, number>
  readonly tags: Map<string, number>
  /** What was asked for last: most readers of a batch ask for the same versions, and share them. */
  lastVersions: AskedVersions | undefined
  answer: Promise<StoreAnswer | undefined>
}

/** The versions of some tags, as one part of a batch. */
class AskedVersions {
  readonly tags: readonly string[]
  readonly #at: readonly number[]
  #versions: readonly string[] | undefined

  constructor(tags: readonly string[], positions: Map<string, number>) {
    this.tags = tags
    this.#at = tags.map((tag) => positionOf(tag, positions))
  }

  /** Their part of the batch's answer: the same list for all who share it. */
  of(answered: readonly string[]): readonly string[] {
    this.#versions ??= this.#at.map((at) => answered[at]!)
    return this.#versions
  }
}

const NOTHING: Promise<undefined> = Promise.resolve(undefined)

/** For who makes nothing else of an answer. */
export function same<A>(answer: A): A {
  return answer
}

function positionOf(name: string, names: Map<string, number>): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}
