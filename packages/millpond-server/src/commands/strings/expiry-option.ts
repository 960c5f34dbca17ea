/** Reads the options EX, PX, EXAT and PXAT of SET and GETEX. */
import type { Arguments } from '../../engine/arguments.ts'
import { invalidExpiry, notInteger } from '../../engine/errors.ts'

const INT64_MAX = 2n ** 63n - 1n

/** Whether a word is one of those options; its time is the next word. */
export function isExpiryOption(option: string): boolean {
  return option === 'EX' || option === 'PX' || option === 'EXAT' || option === 'PXAT'
}

/** The moment that an option and the word at `at` mean. @throws ReplyError where that is not a moment after 1970 that fits */
export function expiryOf(nowMs: number, option: string, args: Arguments, at: number, command: string): number {
  const given = args.int64(at, notInteger)
  const ms = option.startsWith('E') ? given * 1000n : given
  const moment = option.endsWith('AT') ? ms : ms + BigInt(nowMs)
  if (given <= 0n || moment > INT64_MAX) throw invalidExpiry(command)
  return Number(moment)
}
