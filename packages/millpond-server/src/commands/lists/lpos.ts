import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { LIST, type List } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { countOf } from '../counts.ts'
import { oneKey } from '../key-specs.ts'

interface PositionOptions {
  /** Which match is the first that counts; below 0 from the end. */
  rank: number
  /** How many; 0: all; `undefined`: one, told without a list. */
  count: number | undefined
  /** How many elements to look at; 0: all. */
  lookedAtMax: number
}

/** Where an element is. */
export const lpos: Command = {
  name: 'lpos',
  since: '6.0.6',
  group: 'list',
  summary: 'Returns the index of the element of a list that equals one, or the indexes of several.',
  complexity: 'O(N) for N elements',
  arity: -3,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
  run({ db }, args, reply) {
    const options = optionsOf(args)
    const list = db.read(args.span(1), LIST)
    const found = list === undefined ? [] : positions(list, args.text(2), options)
    if (options.count !== undefined) {
      reply.array(found.length)
      for (const index of found) reply.integer(index)
    } else if (found.length === 0) reply.nil()
    else reply.integer(found[0]!)
  },
}

function positions(list: List, wanted: string, { rank, count = 1, lookedAtMax }: PositionOptions): number[] {
  const found: number[] = []
  const most = lookedAtMax || Infinity
  const skip = Math.abs(rank) - 1
  let matches = 0
  let lookedAt = 0
  for (const text of rank > 0 ? list.forward() : list.backward()) {
    if (lookedAt === most || found.length === (count || Infinity)) break
    if (text === wanted && ++matches > skip) found.push(rank > 0 ? lookedAt : list.size - 1 - lookedAt)
    lookedAt++
  }
  return found
}

function optionsOf(args: Arguments): PositionOptions {
  const options: PositionOptions = { rank: 1, count: undefined, lookedAtMax: 0 }
  for (let at = 3; at < args.count; at += 2) {
    if (at + 1 >= args.count) throw syntaxError()
    const option = args.option(at)
    if (option === 'RANK') options.rank = rankOf(args.integer(at + 1))
    else if (option === 'COUNT') options.count = countOf(args, at + 1, "COUNT can't be negative")
    else if (option === 'MAXLEN') options.lookedAtMax = countOf(args, at + 1, "MAXLEN can't be negative")
    else throw syntaxError()
  }
  return options
}

function rankOf(rank: number): number {
  if (rank !== 0) return rank
  throw new ReplyError(
    "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
  )
}
