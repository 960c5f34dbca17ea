/** Words that say how many: of keys, of elements. */
import type { Arguments } from '../engine/arguments.ts'
import { parseInt64 } from '../engine/arguments.ts'
import { notInteger, outOfRange, ReplyError } from '../engine/errors.ts'

const LONG_MAX = 2n ** 63n - 1n
/** As many may be drawn again and again by one command: an answer without end would stop the server for all. Redis has no bound. */
const DRAWS_MAX = 2n ** 20n

/** A word as a number not below `min`; `message` is the error for all that is none. */
export function countOf(
  args: Arguments,
  at: number,
  message: string = 'value is out of range, must be positive',
  min: number = 0,
): number {
  const value = parseInt64(args.text(at))
  if (value === undefined || value < min) throw new ReplyError(message)
  return Number(value)
}

/** A word as a number of things drawn by chance: negative where one may be drawn again. */
export function drawsOf(args: Arguments, at: number): number {
  const value = args.int64(at, notInteger)
  if (value < -DRAWS_MAX && value >= -LONG_MAX) throw outOfRange()
  if (value < -LONG_MAX) {
    throw new ReplyError(`value is out of range, value must between ${-LONG_MAX} and ${LONG_MAX}`)
  }
  return Number(value)
}
