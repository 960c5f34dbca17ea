import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { rangeOf, unitAt } from './bit-offset.ts'
import { type BitRange, countBits } from './bits.ts'

/** How many bits of a string are set. */
export const bitcount: Command = {
  name: 'bitcount',
  since: '2.6.0',
  group: 'bitmap',
  summary: 'Counts the bits that are set in a string or a part of it.',
  complexity: 'O(N) for N bytes of the part',
  arity: -2,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key [start end [BYTE | BIT]]',
  run({ db }, args, reply) {
    const value = db.readString(args.span(1))
    if (value === undefined) reply.integer(0)
    else reply.integer(countBits(value.bytes, value.start, partOf(args, value.length)))
  },
}

const NOTHING: BitRange = { first: 0, last: -1 }

function partOf(args: Arguments, length: number): BitRange {
  if (args.count === 2) return { first: 0, last: length * 8 - 1 }
  if (args.count !== 4 && args.count !== 5) throw syntaxError()
  const first = args.integer(2)
  const last = args.integer(3)
  if (first < 0 && last < 0 && first > last) return NOTHING
  return rangeOf(first, last, args.count === 5 ? unitAt(args, 4) : 8, length)
}
