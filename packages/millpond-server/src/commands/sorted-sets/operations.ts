/** Sorted sets, and sets, put together: the work of ZUNION, ZINTER, ZDIFF and their kin. */
import type { Arguments } from '../../engine/arguments.ts'
import { EncodingLimits } from '../../engine/encoding-limits.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { SET, type SetValue } from '../../engine/values/set.ts'
import { SORTED_SET, SortedSet } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import { countOf } from '../counts.ts'
import { entryReply } from './range-query.ts'

/** Makes one score of two. */
type Aggregate = (one: number, other: number) => number

/** A set of either kind, or nothing, and what its scores are multiplied by. */
interface Source {
  readonly value: SortedSet | SetValue | undefined
  weight: number
}

/** What is put together, and how. */
export interface Combination {
  readonly sources: Source[]
  aggregate: Aggregate
  withScores: boolean
  /** ZINTERCARD: enough when so many are found. */
  limit: number
}

/** What a command may be told after its keys. */
export type CombinationOption = 'weights' | 'withscores' | 'limit'

/** Makes a new sorted set of others. */
export type Operation = (combination: Combination) => SortedSet

/** Results are no listpacks, so that a zero may keep its sign. */
const UNPACKED: EncodingLimits = Object.assign(new EncodingLimits(), { zsetMaxListpackEntries: 0 })

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  SUM: (one, other) => orZero(one + other),
  MIN: (one, other) => (other < one ? other : one),
  MAX: (one, other) => (other > one ? other : one),
}

/** Reads keys, whose number is the word at `countAt`, and the options behind them. */
export function combinationOf(
  { db }: Client,
  args: Arguments,
  countAt: number,
  may: readonly CombinationOption[],
): Combination {
  const count = args.integer(countAt)
  if (count < 1) throw new ReplyError(`at least 1 input key is needed for '${args.text(0).toLowerCase()}' command`)
  if (count > args.count - countAt - 1) throw syntaxError()
  const sources: Source[] = []
  for (let at = countAt + 1; at <= countAt + count; at++) {
    const key = args.span(at)
    const value = db.typeOf(key) === 'set' ? db.read(key, SET) : db.read(key, SORTED_SET)
    sources.push({ value, weight: 1 })
  }
  const combination = { sources, aggregate: AGGREGATES.SUM!, withScores: false, limit: 0 }
  let at = countAt + 1 + count
  while (at < args.count) at = readOption(combination, args, at, may)
  return combination
}

/** Reads one option, and returns the place behind it. */
function readOption(combination: Combination, args: Arguments, at: number, may: readonly CombinationOption[]): number {
  const { sources } = combination
  const more = args.count - at - 1
  if (may.includes('weights') && args.is(at, 'weights') && more >= sources.length) {
    for (const source of sources) source.weight = args.float(++at, () => new ReplyError('weight value is not a float'))
    return at + 1
  }
  if (may.includes('weights') && args.is(at, 'aggregate') && more >= 1) {
    const aggregate = AGGREGATES[args.option(at + 1)]
    if (aggregate === undefined) throw syntaxError()
    combination.aggregate = aggregate
    return at + 2
  }
  if (may.includes('withscores') && args.is(at, 'withscores')) {
    combination.withScores = true
    return at + 1
  }
  if (!may.includes('limit') || !args.is(at, 'limit') || more < 1) throw syntaxError()
  combination.limit = countOf(args, at + 1, "LIMIT can't be negative")
  return at + 2
}

export const union: Operation = ({ sources, aggregate }) => {
  const scores = new Map<string, number>()
  for (const { value, weight } of bySize(sources)) {
    for (const [member, score] of entriesOf(value)) {
      const weighed = orZero(weight * score)
      const before = scores.get(member)
      scores.set(member, before === undefined ? weighed : aggregate(before, weighed))
    }
  }
  const result = new SortedSet(UNPACKED)
  for (const [member, score] of scores) result.set(member, score)
  return result
}

export const intersection: Operation = (combination) => {
  const result = new SortedSet(UNPACKED)
  eachCommon(combination, (member, score) => {
    result.set(member, score)
    return true
  })
  return result
}

/** Entries of the first whose members no other has. */
export const difference: Operation = ({ sources }) => {
  const result = new SortedSet(UNPACKED)
  const [first, ...others] = sources
  for (const [member, score] of entriesOf(first!.value)) {
    if (!others.some(({ value }) => value?.has(member))) result.set(member, score)
  }
  return result
}

/** Tells what all have in common, until it is told that there are enough: the smallest is asked first. */
export function eachCommon(
  { sources, aggregate }: Combination,
  tell: (member: string, score: number) => boolean,
): void {
  if (sources.some(({ value }) => value === undefined)) return
  const [smallest, ...others] = bySize(sources)
  for (const [member, own] of entriesOf(smallest!.value)) {
    let score = orZero(smallest!.weight * own)
    const isCommon = others.every(({ value, weight }) => {
      const other = scoreIn(value!, member)
      if (other !== undefined) score = aggregate(score, other * weight)
      return other !== undefined
    })
    if (isCommon && !tell(member, score)) return
  }
}

/** A result as it is stored: a listpack, if it fits into one. */
export function packed(set: SortedSet, limits: EncodingLimits): SortedSet {
  if (set.size > limits.zsetMaxListpackEntries) return set
  const twin = new SortedSet(limits)
  set.visit(0, set.size, false, (member, score) => twin.insert(member, score))
  return twin.encoding === 'listpack' ? twin : set
}

/** Answers with the entries of a set in order, with scores if they were asked for. */
export function replySortedSet(client: Client, set: SortedSet, withScores: boolean, reply: Reply): void {
  if (withScores) {
    set.visit(0, set.size, false, entryReply(client, reply, set.size))
    return
  }
  reply.array(set.size)
  set.visit(0, set.size, false, (member) => reply.bulk(member))
}

function bySize(sources: readonly Source[]): Source[] {
  return sources.toSorted((one, other) => (one.value?.size ?? 0) - (other.value?.size ?? 0))
}

/** Members and scores. A set's members have a score of 1. */
function* entriesOf(value: SortedSet | SetValue | undefined): Iterable<readonly [string, number]> {
  if (value instanceof SortedSet) yield* value.entries()
  else for (const member of value?.members() ?? []) yield [member, 1]
}

/** Infinity less infinity, or times nothing, is no number; Redis says that it is 0. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score
}

function scoreIn(value: SortedSet | SetValue, member: string): number | undefined {
  if (value instanceof SortedSet) return value.score(member)
  return value.has(member) ? 1 : undefined
}
