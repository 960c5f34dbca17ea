/** Options of our own commands: a word, or a word and its value, in any order. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError, syntaxError } from '../engine/errors.ts'
import { bytesOf } from './configuration/parameter.ts'

/** Reads options from a place on: each with its value's place as `read` says. @throws ReplyError one is not known, or lacks its value */
export function readOptions(
  args: Arguments,
  from: number,
  read: Readonly<Record<string, (at: number) => void>>,
  plain: Readonly<Record<string, () => void>> = {},
): void {
  for (let at = from; at < args.count; at++) {
    const name = args.option(at)
    const withValue = read[name]
    if (plain[name]) plain[name]()
    else if (withValue === undefined) throw new ReplyError(`unknown option '${args.text(at).slice(0, 64)}'`)
    else if (at + 1 >= args.count) throw syntaxError()
    else withValue(++at)
  }
}

/** A number above 0, or 0 for no bound: Infinity. */
export function boundOf(args: Arguments, at: number): number {
  const value = args.integer(at)
  if (value < 0) throw new ReplyError(`${args.option(at - 1)} must be 0, for no bound, or more`)
  return value === 0 ? Infinity : value
}

/** Seconds above 0 as milliseconds; 0 for no bound: Infinity. */
export function secondsBoundOf(args: Arguments, at: number): number {
  return boundOf(args, at) * 1000
}

/** A size such as '64mb'. */
export function sizeOf(args: Arguments, at: number): number {
  const size = bytesOf(args.text(at))
  if (size === undefined || size < 0) throw new ReplyError(`${args.option(at - 1)} must be a size, such as 64mb`)
  return size
}

/** A size; 0 for no bound: Infinity. */
export function sizeBoundOf(args: Arguments, at: number): number {
  return sizeOf(args, at) || Infinity
}
