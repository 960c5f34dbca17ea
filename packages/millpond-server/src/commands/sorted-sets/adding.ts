/** Adding to a sorted set: what ZADD and ZINCRBY do. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'

/** Bits of what may be done, and what is told. */
const NX = 1
const XX = 2
const GT = 4
const LT = 8
const CH = 16
const INCR = 32

/** Adds scores and members, the words behind the options, to the set under the first word. */
export function addScores(client: Client, args: Arguments, reply: Reply, increments: boolean): void {
  const { db } = client
  const key = args.span(1)
  let first = 2
  let options = increments ? INCR : 0
  for (let bit = optionAt(args, first); bit !== 0; bit = optionAt(args, ++first)) options |= bit
  check(options, args.count - first)
  const scores: number[] = []
  for (let at = first; at < args.count; at += 2) scores.push(args.float(at))
  const set = (options & XX) === 0 ? db.editOrNew(key, SORTED_SET) : db.edit(key, SORTED_SET)
  let added = 0
  let updated = 0
  let result: number | undefined
  for (let at = 0; set !== undefined && at < scores.length; at++) {
    const word = first + 1 + at * 2
    const place = set.placeOfWord(args, word)
    const before = place === -1 ? undefined : set.scoreAt(place)
    result = scoreAfter(before, scores[at]!, options)
    if (result === undefined || result === before) continue
    if (before === undefined) {
      set.insert(args.text(word), result)
      added++
    } else {
      set.moveAt(place, result)
      updated++
    }
  }
  if (added + updated > 0) db.changed(key, (options & INCR) === 0 ? 'zadd' : 'zincr', 'z')
  if ((options & INCR) === 0) reply.integer((options & CH) === 0 ? added : added + updated)
  else if (result === undefined) reply.nil()
  else reply.double(result)
}

/** The score that a member is to have; `undefined`: it stays as it is. */
function scoreAfter(before: number | undefined, given: number, options: number): number | undefined {
  if (before === undefined) return (options & XX) === 0 ? given : undefined
  if ((options & NX) !== 0) return undefined
  const after = (options & INCR) === 0 ? given : before + given
  if (Number.isNaN(after)) throw new ReplyError('resulting score is not a number (NaN)')
  if ((options & GT) !== 0 && after <= before) return undefined
  if ((options & LT) !== 0 && after >= before) return undefined
  return after
}

function optionAt(args: Arguments, at: number): number {
  if (at >= args.count) return 0
  if (args.is(at, 'nx')) return NX
  if (args.is(at, 'xx')) return XX
  if (args.is(at, 'gt')) return GT
  if (args.is(at, 'lt')) return LT
  if (args.is(at, 'ch')) return CH
  return args.is(at, 'incr') ? INCR : 0
}

function check(options: number, words: number): void {
  if (words === 0 || words % 2 === 1) throw syntaxError()
  if ((options & NX) !== 0 && (options & XX) !== 0) {
    throw new ReplyError('XX and NX options at the same time are not compatible')
  }
  const comparisons = options & (GT | LT)
  if (comparisons === (GT | LT) || (comparisons !== 0 && (options & NX) !== 0)) {
    throw new ReplyError('GT, LT, and/or NX options at the same time are not compatible')
  }
  if ((options & INCR) !== 0 && words > 2) throw new ReplyError('INCR option supports a single increment-element pair')
}
