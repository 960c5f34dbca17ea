/** `FIELDS numfields field [field ...]`, as the commands on the expiry of fields have it. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { countOf } from '../counts.ts'

/** The fields that are named from the word `FIELDS` on, which must stand at `at`. */
export function fieldsFrom(args: Arguments, at: number): string[] {
  if (at >= args.count || !args.is(at, 'fields')) {
    throw new ReplyError('Mandatory argument FIELDS is missing or not at the right position')
  }
  const count = countOf(args, at + 1, 'Number of fields must be a positive integer', 1)
  if (count !== args.count - at - 2) {
    throw new ReplyError('The `numfields` parameter must match the number of arguments')
  }
  return args.texts(at + 2)
}
