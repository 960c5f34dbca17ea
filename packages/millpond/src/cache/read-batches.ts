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

  /** What stands under a key, where one is given, and the tags' versions; `undefined` where the store does not answer. */
  async ask(key: string | undefined, tags: readonly string[]): Promise<Answer | undefined> {
    if (tags.length >= STORE_BATCH_MAX) return await this.#askInParts(key, tags)
    const batch = this.#batch(tags.length + 1)
    const keyAt = key === undefined ? -1 : positionOf(key, batch.keys)
    const tagsAt = tags.map((tag) => positionOf(tag, batch.tags))
    const answer = await batch.answer
    return answer && { entry: answer.entries[keyAt], versions: tagsAt.map((at) => answer.versions[at]!) }
  }

  async #askInParts(key: string | undefined, tags: readonly string[]): Promise<Answer | undefined> {
    const most = STORE_BATCH_MAX - 1
    const [first, rest] = await Promise.all([this.ask(key, tags.slice(0, most)), this.ask(undefined, tags.slice(most))])
    return first && rest && { entry: first.entry, versions: [...first.versions, ...rest.versions] }
  }

  /** The batch of this tick, or another one where it has no room for so many names. */
  #batch(names: number): Batch {
    const open = this.#open
    if (open !== undefined && open.keys.size + open.tags.size + names <= STORE_BATCH_MAX) return open
    const batch: Batch = { keys: new Map(), tags: new Map(), answer: NOTHING }
    this.#open = batch
    batch.answer = this.#send(batch, open?.answer)
    return batch
  }

  async #send(batch: Batch, before: Promise<unknown> | undefined): Promise<StoreAnswer | undefined> {
    await undefined
    if (this.#open === batch) this.#open = undefined
    await before
    return await this.#read([...batch.keys.keys()], [...batch.tags.keys()])
  }
}

/** The part of an answer that one asked for. */
interface Answer {
  readonly entry: StoreRead | undefined
  readonly versions: readonly string[]
}

/** What is asked for together: names with their places. */
interface Batch {
  readonly keys: Map<string, number>
  readonly tags: Map<string, number>
  answer: Promise<StoreAnswer | undefined>
}

const NOTHING: Promise<undefined> = Promise.resolve(undefined)

function positionOf(name: string, names: Map<string, number>): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}
