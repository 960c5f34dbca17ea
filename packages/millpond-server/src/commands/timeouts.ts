/** How long a command waits at most. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'

const INT64_MAX = 2 ** 63

/** A word as seconds to wait, in milliseconds; 0 is for ever: Infinity. */
export function secondsOf(args: Arguments, at: number): number {
  const failure = () => new ReplyError('timeout is not a float or out of range')
  const ms = Math.ceil(args.float(at, failure) * 1000)
  if (ms >= INT64_MAX) throw failure()
  return waitOf(ms)
}

/** A word as milliseconds to wait; 0 is for ever: Infinity. */
export function millisecondsOf(args: Arguments, at: number): number {
  return waitOf(args.integer(at, () => new ReplyError('timeout is not an integer or out of range')))
}

function waitOf(ms: number): number {
  if (ms < 0) throw new ReplyError('timeout is negative')
  return ms === 0 ? Number.POSITIVE_INFINITY : ms
}
