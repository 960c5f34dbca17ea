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

  /** What stands under a key; `undefined` where the store does not answer. */
  async key(name: string): Promise<StoreRead | undefined> {
    const batch = this.#batch()
    const at = positionOf(name, batch.keys)
    return (await batch.answer)?.entries[at]
  }

  /** The version of a tag; `undefined` where the store does not answer. */
  async tag(name: string): Promise<string | undefined> {
    const batch = this.#batch()
    const at = positionOf(name, batch.tags)
    return (await batch.answer)?.versions[at]
  }

  #batch(): Batch {
    const open = this.#open
    if (open !== undefined && open.keys.size + open.tags.size < STORE_BATCH_MAX) return open
    const batch: Batch = { keys: new Map(), tags: new Map(), answer: NOTHING }
    this.#open = batch
    batch.answer = this.#ask(batch, open?.answer)
    return batch
  }

  async #ask(batch: Batch, before: Promise<unknown> | undefined): Promise<StoreAnswer | undefined> {
    await undefined
    if (this.#open === batch) this.#open = undefined
    await before
    return await this.#read([...batch.keys.keys()], [...batch.tags.keys()])
  }
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
