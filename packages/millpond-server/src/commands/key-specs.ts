/** Where the keys of a command stand, in the forms that most commands have. */
import type { KeySpec } from './command.ts'

type Access = KeySpec['access']
type Touch = NonNullable<KeySpec['touches']>[number]

/** One key: the first word after the name, or the one at `place`. */
export function oneKey(access: Access, touches: readonly Touch[], place = 1): readonly KeySpec[] {
  return [{ first: place, last: place, access, touches }]
}

/** Keys from the first word up to `last`; negative counts from the end. */
export function keysTo(last: number, access: Access, touches: readonly Touch[], step = 1): readonly KeySpec[] {
  return [{ first: 1, last, step, access, touches }]
}

/** As many keys as the word at `countAt` says, behind it. */
export function countedKeys(countAt: number, access: Access, touches: readonly Touch[]): readonly KeySpec[] {
  return [{ first: countAt + 1, last: { countAt }, access, touches }]
}
