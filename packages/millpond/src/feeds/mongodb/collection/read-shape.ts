/** What is known about a read before it runs: whether its answer may be kept, and which documents can make that old. */
import type { Document } from '../client.ts'
import { type Condition, conditionsOf } from '../conditions.ts'
import { leadingFilters, pushedConditions } from './pushed-match.ts'

/** A read of a collection. */
export type MongoRead =
  | { readonly kind: 'find' | 'findOne' | 'count'; readonly filter: Document; readonly options: Document }
  | { readonly kind: 'aggregate'; readonly pipeline: readonly Document[]; readonly options: Document }

export interface ReadShape {
  /** Why the answer is never kept, in words; none when it may be. */
  readonly reasons: readonly string[]
  /** Documents that fail one of these cannot matter. */
  readonly conditions: readonly Condition[]
  /** Filters that they have to pass as they stand. */
  readonly filters: readonly Document[]
  /** Other collections of the same database that are read, whole. */
  readonly others: readonly string[]
}

/** Stages that only depend on documents. Any other is not known to, so it is not kept. */
const STAGES =
  '$addFields $bucket $bucketAuto $count $densify $facet $fill $geoNear $graphLookup $group $limit $lookup $match $project $redact $replaceRoot $replaceWith $set $setWindowFields $skip $sort $sortByCount $unionWith $unset $unwind'.split(
    ' ',
  )

/** Names within expressions and filters whose value is not decided by documents. */
const MOMENTARY: Readonly<Record<string, string>> = {
  $rand: 'it draws lots ($rand)',
  $sampleRate: 'it draws lots ($sampleRate)',
  $function: 'it runs JavaScript on the server ($function)',
  $accumulator: 'it runs JavaScript on the server ($accumulator)',
  $where: 'it runs JavaScript on the server ($where)',
  $createObjectId: 'it makes ids ($createObjectId)',
  $currentDate: 'it asks for the time ($currentDate)',
}

const VARIABLES: Readonly<Record<string, string>> = {
  $$NOW: 'it asks for the time ($$NOW)',
  $$CLUSTER_TIME: 'it asks for the time ($$CLUSTER_TIME)',
  $$USER_ROLES: 'it asks who the user is ($$USER_ROLES)',
}

/** Options that decide what is answered or how, and are part of the key; with any other the read goes to the server as it is. */
const OPTIONS =
  'projection sort skip limit hint comment batchSize maxTimeMS allowDiskUse promoteLongs promoteValues promoteBuffers bsonRegExp useBigInt64 ignoreUndefined'.split(
    ' ',
  )

export function shapeOf(read: MongoRead): ReadShape {
  const strange = Object.keys(read.options).filter((name) => !OPTIONS.includes(name))
  const reasons = strange.map((name) => `the option ${name} is left to the server`)
  if (read.kind !== 'aggregate') {
    reasons.push(...momentsIn(read.filter), ...momentsIn(read.options))
    return { reasons: [...new Set(reasons)], conditions: conditionsOf(read.filter), filters: [read.filter], others: [] }
  }
  const { pipeline } = read
  reasons.push(...pipeline.flatMap(reasonsOfStage))
  const others = pipeline.flatMap(collectionsOf)
  const pushed = { conditions: pushedConditions(pipeline), filters: leadingFilters(pipeline) }
  return { reasons: [...new Set(reasons)], ...pushed, others: [...new Set(others)] }
}

export function doesWrite(read: MongoRead): boolean {
  return read.kind === 'aggregate' && read.pipeline.some((stage) => '$out' in stage || '$merge' in stage)
}

function reasonsOfStage(stage: Document): string[] {
  const [name] = Object.keys(stage)
  const own = name !== undefined && STAGES.includes(name) ? [] : [`the stage ${name} ${whyNot(name)}`]
  const inner = pipelinesIn(stage).flatMap((pipeline) => pipeline.flatMap(reasonsOfStage))
  const from = (stage.$lookup ?? stage.$graphLookup ?? stage.$unionWith) as
    | { from?: unknown; coll?: unknown }
    | undefined
  const elsewhere = [from?.from, from?.coll].some((place) => typeof place === 'object' && place !== null)
  return [...own, ...inner, ...momentsIn(stage), ...(elsewhere ? ['it reads another database'] : [])]
}

function whyNot(name: string | undefined): string {
  if (name === '$out' || name === '$merge') return 'writes'
  if (name === '$sample') return 'draws lots'
  if (name === '$search' || name === '$searchMeta' || name === '$vectorSearch')
    return 'asks an index that lags behind the documents'
  return 'does not depend on documents alone, as far as is known'
}

/** What in a value is not decided by documents. */
function momentsIn(value: unknown): string[] {
  if (typeof value === 'string')
    return Object.keys(VARIABLES).flatMap((name) =>
      value === name || value.startsWith(`${name}.`) ? VARIABLES[name]! : [],
    )
  if (Array.isArray(value)) return value.flatMap(momentsIn)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? ['it holds a function'] : []
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  return entries.flatMap(([name, part]) => [
    ...(Object.hasOwn(MOMENTARY, String(name)) ? [MOMENTARY[String(name)]!] : []),
    ...momentsIn(part),
  ])
}

/** The collections that a stage reads besides its input, those of inner pipelines included. */
function collectionsOf(stage: Document): string[] {
  const { $lookup, $graphLookup, $unionWith } = stage as Record<
    string,
    { from?: string; coll?: string } | string | undefined
  >
  const named = [$lookup, $graphLookup, $unionWith].flatMap((from) =>
    typeof from === 'string' ? from : (from?.from ?? from?.coll ?? []),
  )
  const names = named.filter((name) => typeof name === 'string')
  return [...names, ...pipelinesIn(stage).flatMap((pipeline) => pipeline.flatMap(collectionsOf))]
}

function pipelinesIn({ $lookup, $unionWith, $facet }: Document): Document[][] {
  const inner = [$lookup, $unionWith].flatMap((stage) => {
    const { pipeline } = (stage ?? {}) as { pipeline?: Document[] }
    return pipeline === undefined ? [] : [pipeline]
  })
  return [...inner, ...Object.values(($facet ?? {}) as Record<string, Document[]>)]
}
