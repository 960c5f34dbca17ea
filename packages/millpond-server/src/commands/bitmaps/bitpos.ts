import type { ArenaView } from 'millpond/memory'
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { rangeOf, unitAt } from './bit-offset.ts'
import { findBit } from './bits.ts'

/** Where the first bit of a kind is. */
export const bitpos: Command = {
  name: 'bitpos',
  since: '2.8.7',
  group: 'bitmap',
  summary: 'Finds the first bit that is set, or clear, in a string or a part of it.',
  complexity: 'O(N) for N bytes of the part',
  arity: -3,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key bit [start [end [BYTE | BIT]]]',
  run({ db }, args, reply) {
    const bit = args.integer(2)
    if (bit !== 0 && bit !== 1) throw new ReplyError('The bit argument must be 1 or 0.')
    const value = db.readString(args.span(1))
    if (value === undefined) reply.integer(bit === 1 ? -1 : 0)
    else reply.integer(search(value, bit, args))
  },
}

/** Behind a string lie zeros, unless the command says where to end. */
function search(value: ArenaView, bit: 0 | 1, args: Arguments): number {
  if (args.count > 6) throw syntaxError()
  const first = args.count > 3 ? args.integer(3) : 0
  const unit = args.count === 6 ? unitAt(args, 5) : 8
  const last = args.count > 4 ? args.integer(4) : value.length - 1
  const range = rangeOf(first, last, unit, value.length)
  const found = findBit(value.bytes, value.start, range, bit)
  const open = args.count < 5 && bit === 0 && range.first <= range.last
  return found < 0 && open ? range.last + 1 : found
}
