/**
 * Selections that somebody's answers depend on, by the tag of their collection: a document that passes one before or after a
 * change gives the tag of it, so that a change voids what it can matter to and leaves the rest.
 */
import type { Document } from './client.ts'
import type { Selection } from './selection.ts'

/** More selections than this on one collection are not told apart. */
const PREDICATES_MAX = 1000

/** A document before and after a change: null where there is none, `undefined` where it is not known. */
export interface Images {
  readonly before: Document | null | undefined
  readonly after: Document | null | undefined
}

interface Predicate {
  readonly selection: Selection
  readonly seesAfterOnly: boolean
}

export class Predicates {
  /** Oldest use first. */
  private readonly byCollection = new Map<string, Map<string, Predicate>>()
  private readonly forgotten: (tag: string) => void

  /** @param forgotten given a tag that no change will give any more: what carries it has to be voided */
  constructor(forgotten: (tag: string) => void) {
    this.forgotten = forgotten
  }

  /**
   * The tag of what depends on the documents that are selected; changes give it from now on. Who carries also the
   * tags of all documents in his answer has only to learn of newcomers: `seesAfterOnly`.
   */
  watch(collection: string, selection: Selection, seesAfterOnly: boolean): string {
    const tag = `${collection}?${seesAfterOnly ? 'after:' : ''}${selection.text}`
    const known = this.byCollection.get(collection) ?? new Map<string, Predicate>()
    this.byCollection.set(collection, known)
    const predicate = known.get(tag) ?? { selection, seesAfterOnly }
    known.delete(tag)
    known.set(tag, predicate)
    if (known.size > PREDICATES_MAX) {
      const [oldest] = known.keys()
      known.delete(oldest!)
      this.forgotten(oldest!)
    }
    return tag
  }

  /** The tags that a change of a document gives. */
  tagsOf(collection: string, { before, after }: Images): string[] {
    const passes = (selection: Selection, image: Document | null | undefined) =>
      image === undefined || (image !== null && selection.mayMatch(image))
    return [...(this.byCollection.get(collection) ?? [])]
      .filter(
        ([, { selection, seesAfterOnly }]) => passes(selection, after) || (!seesAfterOnly && passes(selection, before)),
      )
      .map(([tag]) => tag)
  }
}
