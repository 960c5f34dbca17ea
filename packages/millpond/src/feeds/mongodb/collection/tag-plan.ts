/** Which tags an answer carries: what in the feed's telling can make it old. */
import type { Document } from '../client.ts'
import type { Condition } from '../conditions.ts'
import type { MongoFeed } from '../feed.ts'
import { type Mingo, type Selection, selectionOf } from '../selection.ts'
import { idText } from '../tags.ts'
import type { CollectionFacts } from './collection-facts.ts'
import type { MongoRead, ReadShape } from './read-shape.ts'

/** What can make an answer old, in words. */
export interface Dependency {
  readonly collection: string
  /** Which of its documents. */
  readonly documents: string
  /** By which of their changes, and why these. */
  readonly changes: string
}

export interface Plan {
  readonly reasons: readonly string[]
  /** What can make the answer old. */
  readonly dependencies: readonly Dependency[]
  /** Tags of the collections that are read. */
  readonly collections: readonly string[]
  /** The tags before the answer is known. Conditions are watched from this call on. */
  tags(): readonly string[]
  /** Those that only the answer tells. */
  tagsOfAnswer(answer: unknown): readonly string[]
}

export interface PlanParts {
  readonly feed: Pick<MongoFeed, 'tagOf' | 'watch'>
  /** The package `mingo`, where it is there. */
  readonly mingo: Mingo | undefined
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
  const selection = isWhole ? EVERYTHING : selectionOf(shape.conditions, shape.filters, parts.mingo)
  const watched = watchedBy(read, isWhole ? [] : shape.conditions, selection, own, feed)
  const others = tagged.slice(1).flatMap(({ tag }) => tag ?? [])
  return {
    reasons,
    dependencies: [
      { collection: own, documents: watched.documents, changes: changesOf(watched, facts[0]!) },
      ...others.map((tag) => ({ collection: tag, documents: 'all', changes: 'any' })),
    ],
    collections: [own, ...others],
    tags: () => [...watched.tags(), ...(isWhole ? [own] : []), ...others],
    tagsOfAnswer: watched.tagsOfAnswer,
  }
}

const EVERYTHING: Selection = { text: '', mayMatch: () => true }

type Watched = Pick<Plan, 'tags' | 'tagsOfAnswer'> & { readonly documents: string; readonly isSelected: boolean }

function watchedBy(
  read: MongoRead,
  conditions: readonly Condition[],
  selection: Selection,
  own: string,
  feed: PlanParts['feed'],
): Watched {
  const none = () => []
  const ids = idsIn(conditions)
  if (ids !== undefined) {
    const tags = ids.map((id) => `${own}:${idText(id)}`)
    return { documents: tags.join(', '), isSelected: false, tags: () => tags, tagsOfAnswer: none }
  }
  if (selection.text === '') return { documents: 'all', isSelected: false, tags: () => [own], tagsOfAnswer: none }
  const documents = `those with ${selection.text}`
  if (!hasIds(read))
    return { documents, isSelected: true, tags: () => [feed.watch(own, selection, false)], tagsOfAnswer: none }
  return {
    documents,
    isSelected: true,
    tags: () => [feed.watch(own, selection, true)],
    tagsOfAnswer: (answer) => documentTags(answer, own),
  }
}

function changesOf({ isSelected }: Watched, { hasImages }: CollectionFacts): string {
  if (!isSelected) return 'any'
  return hasImages
    ? 'of which they are such before or after'
    : 'these, and every update: the collection does not keep what documents were (changeStreamPreAndPostImages)'
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
