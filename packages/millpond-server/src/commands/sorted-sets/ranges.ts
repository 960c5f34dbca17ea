/** Ranges of a sorted set: by rank, by score, by member. Each becomes a range of ranks. */
import { type Arguments, parseFloat64 } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { SortedSet } from '../../engine/values/sorted-set.ts'

/** Ranks from `from` to before `to`; none where `to` is not greater. */
export interface RankRange {
  readonly from: number
  readonly to: number
}

/** Where a range lies in a set. */
export type Range = (set: SortedSet) => RankRange

/** Ranks from the word at `first` to the word at `last`, both included; negative ones count from the end. */
export function rangeByRank(args: Arguments, first: number, last: number, reversed = false): Range {
  const start = args.integer(first)
  const stop = args.integer(last)
  return ({ size }) => {
    const from = Math.max(0, start < 0 ? size + start : start)
    const to = Math.min(size, (stop < 0 ? size + stop : stop) + 1)
    return reversed ? { from: size - to, to: size - from } : { from, to }
  }
}

/** Scores between two words such as `1.5`, `(2` (not included) or `-inf`. */
export function rangeByScore(args: Arguments, min: number, max: number): Range {
  const low = scoreBound(args.text(min))
  const high = scoreBound(args.text(max))
  return (set) => ({
    from: set.rankOfScore(low.score, low.isOpen),
    to: set.rankOfScore(high.score, !high.isOpen),
  })
}

/** Members between two words such as `[a`, `(b` (not included), `-` (before all) or `+` (behind all). */
export function rangeByMember(args: Arguments, min: number, max: number): Range {
  const low = memberBound(args.text(min))
  const high = memberBound(args.text(max))
  return (set) => ({ from: low(set, true), to: high(set, false) })
}

function scoreBound(text: string): { readonly score: number; readonly isOpen: boolean } {
  const isOpen = text.startsWith('(')
  // As in C's strtod: spaces in front do not matter, and nothing is zero.
  const number = (isOpen ? text.slice(1) : text).replace(/^[\t-\r ]+/, '')
  const score = number === '' ? 0 : (parseFloat64(number) ?? beyondDoubles(number))
  if (score === undefined) throw new ReplyError('min or max is not a float')
  return { score, isOpen }
}

/** A bound may be further than doubles reach, or closer to zero, where a score may not. */
function beyondDoubles(number: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)e[+-]?\d+$/i.test(number) ? Number(number) : undefined
}

function memberBound(text: string): (set: SortedSet, isMin: boolean) => number {
  if (text === '-') return () => 0
  if (text === '+') return (set) => set.size
  const isOpen = text.startsWith('(')
  if (!isOpen && !text.startsWith('[')) throw new ReplyError('min or max not valid string range item')
  const member = text.slice(1)
  return (set, isMin) => set.rankOfMember(member, isMin === isOpen)
}
