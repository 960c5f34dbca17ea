/** What XGROUP CREATE and XGROUP SETID are told after the name of the group, and on which stream. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { STREAM, type Stream } from '../../engine/values/stream.ts'
import type { Client } from '../client.ts'

export interface GroupOptions {
  readonly makesStream: boolean
  /** How many entries the group is said to have read; `undefined`: nobody knows. */
  readonly entriesRead: number | undefined
}

/** The options behind the id. */
export function groupOptionsOf(args: Arguments, mayMake: boolean): GroupOptions {
  let makesStream = false
  let entriesRead = -1
  for (let at = 5; at < args.count; at++) {
    if (mayMake && args.is(at, 'mkstream')) makesStream = true
    else if (args.is(at, 'entriesread') && at + 1 < args.count) {
      entriesRead = args.integer(++at)
      if (entriesRead < -1) throw new ReplyError('value for ENTRIESREAD must be positive or -1')
    } else throw subcommandError(args)
  }
  return { makesStream, entriesRead: entriesRead === -1 ? undefined : entriesRead }
}

/** The stream under the third word. @throws ReplyError if there is none */
export function streamOfGroup({ db }: Client, args: Arguments): Stream {
  const stream = db.edit(args.span(2), STREAM)
  if (stream !== undefined) return stream
  throw new ReplyError(
    'The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option ' +
      'to create an empty stream automatically.',
  )
}

export function subcommandError(args: Arguments): ReplyError {
  const help = `Try ${args.option(0)} HELP.`
  return new ReplyError(`unknown subcommand or wrong number of arguments for '${args.text(1).slice(0, 128)}'. ${help}`)
}
