import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'

type Combine = (one: number, other: number) => number

const COMBINE: Readonly<Record<string, Combine>> = {
  AND: (one, other) => one & other,
  OR: (one, other) => one | other,
  XOR: (one, other) => one ^ other,
}

/** Combines strings bit by bit. */
export const bitop: Command = {
  name: 'bitop',
  since: '2.6.0',
  group: 'bitmap',
  summary: 'Combines strings bit by bit and stores the result, which is as long as the longest of them.',
  complexity: 'O(N) for N bytes of the result, times the number of strings',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 2, last: 2, access: 'OW', touches: ['update'] },
    { first: 3, last: -1, access: 'RO', touches: ['access'] },
  ],
  syntax: '<AND | OR | XOR | NOT> destkey key [key ...]',
  run({ db }, args, reply) {
    const operation = args.option(1)
    const combine = COMBINE[operation]
    if (combine === undefined && operation !== 'NOT') throw syntaxError()
    if (operation === 'NOT' && args.count !== 4) {
      throw new ReplyError('BITOP NOT must be called with a single source key.')
    }
    const sources: Uint8Array[] = []
    for (let at = 3; at < args.count; at++) sources.push(db.readString(args.span(at))?.copy() ?? new Uint8Array(0))
    const result = combine === undefined ? sources[0]!.map((byte) => ~byte) : combined(sources, combine)
    const target = args.span(2)
    if (result.length > 0) {
      db.setString(target, result, 0, result.length, Infinity, STRING_FORM.RAW)
      db.changed(target, 'set', '$')
    } else if (db.delete(target)) db.changed(target, 'del', 'g')
    reply.integer(result.length)
  },
}

/** Strings that are shorter than the longest have zeros behind them. */
function combined(sources: readonly Uint8Array[], combine: Combine): Uint8Array {
  const result = new Uint8Array(sources.reduce((most, { length }) => Math.max(most, length), 0))
  result.set(sources[0]!)
  for (const source of sources.slice(1)) {
    for (let at = 0; at < source.length; at++) result[at] = combine(result[at]!, source[at]!)
    for (let at = source.length; at < result.length; at++) result[at] = combine(result[at]!, 0)
  }
  return result
}
