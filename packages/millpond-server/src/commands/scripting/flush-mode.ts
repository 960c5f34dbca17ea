/** The word after SCRIPT FLUSH and FUNCTION FLUSH. Either way it is done at once: there is little to free. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'

/** @throws ReplyError for anything but SYNC or ASYNC */
export function flushMode(args: Arguments, name: string): void {
  if (args.count > 3) {
    const [container, word] = name.split(' ') as [string, string]
    throw new ReplyError(
      `unknown subcommand or wrong number of arguments for '${word.toLowerCase()}'. Try ${container} HELP.`,
    )
  }
  if (args.count === 3 && !args.is(2, 'sync') && !args.is(2, 'async')) {
    throw new ReplyError(`${name} only supports SYNC|ASYNC option`)
  }
}
