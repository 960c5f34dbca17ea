/** Words that say how many: of keys, of elements. */
import type { Arguments } from '../engine/arguments.ts'
import { parseInt64 } from '../engine/arguments.ts'
import { notInteger, outOfRange, ReplyError } from '../engine/errors.ts'
import type { Client } from './client.ts'

const LONG_MAX = 2n ** 63n - 1n
/** As many may be drawn again and again by one command: an answer without end would stop the server for all. Redis has no bound. */
const DRAWS_MAX = 2 ** 20

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

/** An answer has at least so many bytes for each. */
const DRAW_BYTES = 6

/** A word as a number of things drawn by chance: negative where one may be drawn again. */
export function drawsOf(client: Client, args: Arguments, at: number): number {
  const value = args.int64(at, notInteger)
  if (value < -LONG_MAX) {
    throw new ReplyError(`value is out of range, value must between ${-LONG_MAX} and ${LONG_MAX}`)
  }
  if (value >= -DRAWS_MAX) return Number(value)
  // Past its limit a client is cut off: it never sees that there are no more.
  const draws = Math.ceil(client.outputLimits.hard / DRAW_BYTES) + 1
  if (client.isScript || draws > DRAWS_MAX) throw outOfRange()
  return -Math.min(Number(-value), draws)
}
