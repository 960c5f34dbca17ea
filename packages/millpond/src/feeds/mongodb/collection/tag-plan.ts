/** Which tags an answer carries: what in the feed's telling can make it old. */
import type { Document } from '../client.ts'
import { type Condition, conditionsText } from '../conditions.ts'
import type { MongoFeed } from '../feed.ts'
import { idText } from '../tags.ts'
import type { CollectionFacts } from './collection-facts.ts'
import type { MongoRead, ReadShape } from './read-shape.ts'

export interface Plan {
  readonly reasons: readonly string[]
  /** What can make the answer old, in words. */
  readonly words: readonly string[]
  /** Tags of the collections that are read. */
  readonly collections: readonly string[]
  /** The tags before the answer is known. Conditions are watched from this call on. */
  tags(): readonly string[]
  /** Those that only the answer tells. */
  tagsOfAnswer(answer: unknown): readonly string[]
}

export interface PlanParts {
  readonly feed: Pick<MongoFeed, 'tagOf' | 'watch'>
  readonly facts: (collection: string) => Promise<CollectionFacts>
  readonly database: string
  readonly collection: string
}

/** An answer of more documents depends on its whole collection. */
const DOCUMENT_TAGS_MAX = 200

export async function planOf(read: MongoRead, shape: ReadShape, parts: PlanParts): Promise<Plan> {
  const { feed, database, collection } = parts
  const names = [...new Set([collection, ...shape.others])]
  const tagged = names.map((name) => ({ name, tag: feed.tagOf({ database, collection: name }) }))
  const facts = await Promise.all(names.map((name) => parts.facts(name)))
  const reasons = [
    ...shape.reasons,
    ...tagged.flatMap(({ name, tag }) => (tag === undefined ? [`the feed does not tell of ${name}`] : [])),
    ...facts.flatMap(({ reason }) => reason ?? []),
  ]
  const own = tagged[0]!.tag ?? collection
  // Strings that compare in their own way, and a collection that is also read as a whole.
  const isWhole = facts[0]!.hasCollation || shape.others.includes(collection)
  const watched = watchedBy(read, isWhole ? [] : shape.conditions, own, feed)
  const others = tagged.slice(1).flatMap(({ tag }) => tag ?? [])
  return {
    reasons,
    words: [watched.words, ...others.map((tag) => `all of ${tag}`)],
    collections: [own, ...others],
    tags: () => [...watched.tags(), ...(isWhole ? [own] : []), ...others],
    tagsOfAnswer: watched.tagsOfAnswer,
  }
}

type Watched = Pick<Plan, 'tags' | 'tagsOfAnswer'> & { readonly words: string }

function watchedBy(read: MongoRead, conditions: readonly Condition[], own: string, feed: PlanParts['feed']): Watched {
  if (conditions.length === 0) return { words: `all of ${own}`, tags: () => [own], tagsOfAnswer: () => [] }
  const ids = idsIn(conditions)
  if (ids !== undefined) {
    const tags = ids.map((id) => `${own}:${idText(id)}`)
    return { words: `the documents ${tags.join(', ')}`, tags: () => tags, tagsOfAnswer: () => [] }
  }
  const words = `documents of ${own} with ${conditionsText(conditions)}, before or after a change`
  if (!hasIds(read)) return { words, tags: () => [feed.watch(own, conditions, false)], tagsOfAnswer: () => [] }
  return {
    words,
    tags: () => [feed.watch(own, conditions, true)],
    tagsOfAnswer: (answer) => documentTags(answer, own),
  }
}

/** The ids that a condition leaves, if it leaves few. */
function idsIn(conditions: readonly Condition[]): readonly unknown[] | undefined {
  const onId = conditions.find(({ path, operator }) => path === '_id' && (operator === '$eq' || operator === '$in'))
  return onId && onId.operands.length <= DOCUMENT_TAGS_MAX ? onId.operands : undefined
}

/**
 * Whether the answer names all documents that it depends on and that pass the conditions already. With `skip` it also depends
 * on those that were left out.
 */
function hasIds({ kind, options }: MongoRead): boolean {
  if (!kind.startsWith('find') || Number(options.skip ?? 0) !== 0) return false
  const { projection } = options as { projection?: Document }
  return projection === undefined || !('_id' in projection) || projection._id === 1 || projection._id === true
}

function documentTags(answer: unknown, own: string): readonly string[] {
  const documents = (Array.isArray(answer) ? answer : [answer]) as (Document | null)[]
  if (documents.length > DOCUMENT_TAGS_MAX) return [own]
  return documents.flatMap((document) => (document === null ? [] : `${own}:${idText(document._id)}`))
}
