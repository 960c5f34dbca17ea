/** Reads places of bits from the words of a command. */
import { type Arguments, parseInt64 } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Service } from '../service.ts'
import type { BitRange } from './bits.ts'

const badOffset = (): ReplyError => new ReplyError('bit offset is not an integer or out of range')

/** A place; where `width` is given also `#3`, which is 3 times the width. */
export function bitOffset(service: Service, args: Arguments, at: number, width = 0): number {
  const text = args.text(at)
  const counted = width > 0 && text.startsWith('#')
  const given = parseInt64(counted ? text.slice(1) : text)
  if (given === undefined) throw badOffset()
  const offset = Number(given) * (counted ? width : 1)
  if (offset < 0 || offset >= service.stringBytesMax * 8) throw badOffset()
  return offset
}

/** Which unit the word at `at` names. */
export function unitAt(args: Arguments, at: number): 1 | 8 {
  if (args.is(at, 'bit')) return 1
  if (args.is(at, 'byte')) return 8
  throw syntaxError()
}

/** From places in units of so many bits, below 0 from the end, to the bits of a string of `length` bytes. */
export function rangeOf(first: number, last: number, unit: 1 | 8, length: number): BitRange {
  const total = unit === 8 ? length : length * 8
  const from = Math.max(0, first < 0 ? total + first : first)
  const to = Math.min(total - 1, Math.max(0, last < 0 ? total + last : last))
  return { first: from * unit, last: from > to ? -1 : (to + 1) * unit - 1 }
}
