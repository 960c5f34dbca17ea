/** What ZRANGE and its kin ask for: a range, in which direction, and a part of it. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import { type Range, type RankRange, rangeByMember, rangeByRank, rangeByScore } from './ranges.ts'

/** By what a range is given. */
export type RangeKind = 'rank' | 'score' | 'member'

/** What a command says of itself; what it leaves open its arguments may say. */
export interface RangeForm {
  readonly kind?: RangeKind
  readonly reversed?: boolean
  /** What is found is stored, so WITHSCORES makes no sense. */
  readonly stores?: boolean
}

/** A range, read from the arguments. */
export interface RangeQuery {
  readonly range: Range
  readonly reversed: boolean
  readonly withScores: boolean
  readonly offset: number
  /** Negative: all. */
  readonly limit: number
}

/** Reads a range whose key is the word at `keyAt`. */
export function rangeQueryOf(args: Arguments, keyAt: number, form: RangeForm): RangeQuery {
  let { kind, reversed } = form
  const { stores = false } = form
  let withScores = false
  let offset = 0
  let limit = -1
  for (let at = keyAt + 3; at < args.count; at++) {
    if (!stores && args.is(at, 'withscores')) withScores = true
    else if (args.is(at, 'limit') && at + 2 < args.count) {
      offset = args.integer(++at)
      limit = args.integer(++at)
    } else if (form.reversed === undefined && args.is(at, 'rev')) reversed = true
    else if (kind === undefined && args.is(at, 'bylex')) kind = 'member'
    else if (kind === undefined && args.is(at, 'byscore')) kind = 'score'
    else throw syntaxError()
  }
  kind ??= 'rank'
  reversed ??= false
  if (limit !== -1 && kind === 'rank') {
    throw new ReplyError('syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
  }
  if (kind === 'rank') offset = 0
  if (withScores && kind === 'member') {
    throw new ReplyError('syntax error, WITHSCORES not supported in combination with BYLEX')
  }
  return { range: rangeOf(args, keyAt, kind, reversed), reversed, withScores, offset, limit }
}

/** Where what is asked for lies in a set. */
export function ranksOf(set: SortedSet, { range, reversed, offset, limit }: RangeQuery): RankRange {
  const { from, to } = range(set)
  if (offset < 0) return { from: 0, to: 0 }
  if (reversed) {
    const end = to - offset
    return { from: limit < 0 ? from : Math.max(from, end - limit), to: end }
  }
  const start = from + offset
  return { from: start, to: limit < 0 ? to : Math.min(to, start + limit) }
}

/** Answers with what is asked for of the set under the first word. */
export function replyRange(client: Client, args: Arguments, form: RangeForm, reply: Reply): void {
  const query = rangeQueryOf(args, 1, form)
  const set = client.db.read(args.span(1), SORTED_SET)
  if (set === undefined) {
    reply.array(0)
    return
  }
  const { from, to } = ranksOf(set, query)
  const count = Math.max(0, to - from)
  if (!query.withScores) {
    reply.array(count)
    set.visit(from, to, query.reversed, (member) => reply.bulk(member))
    return
  }
  const replyEntry = entryReply(client, reply, count)
  set.visit(from, to, query.reversed, replyEntry)
}

/** Announces so many members with scores, and returns what writes each: pairs in RESP3, one list in RESP2. */
export function entryReply(client: Client, reply: Reply, count: number): (member: string, score: number) => void {
  const inPairs = client.protocol === 3
  reply.array(inPairs ? count : count * 2)
  return (member, score) => {
    if (inPairs) reply.array(2)
    reply.bulk(member)
    reply.double(score)
  }
}

/** Puts a sorted set under the key that is the first word, in place of whatever was there, and answers with its size. */
export function storeSortedSet(db: Keyspace, args: Arguments, set: SortedSet, event: string, reply: Reply): void {
  const key = args.span(1)
  if (set.size > 0) {
    db.put(key, set)
    db.changed(key, event, 'z')
  } else if (db.delete(key)) db.changed(key, 'del', 'g')
  reply.integer(set.size)
}

function rangeOf(args: Arguments, keyAt: number, kind: RangeKind, reversed: boolean): Range {
  if (kind === 'rank') return rangeByRank(args, keyAt + 1, keyAt + 2, reversed)
  const [min, max] = reversed ? [keyAt + 2, keyAt + 1] : [keyAt + 1, keyAt + 2]
  return kind === 'score' ? rangeByScore(args, min, max) : rangeByMember(args, min, max)
}
