import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { xinfoConsumers } from './xinfo-consumers.ts'
import { xinfoGroups } from './xinfo-groups.ts'
import { xinfoStream } from './xinfo-stream.ts'

/** Tells what streams, groups and consumers are like. */
export const xinfo: Command = {
  name: 'xinfo',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells what streams, groups and consumers are like.',
  arity: -2,
  flags: [],
  subcommands: withHelp('xinfo', '5.0.0', [xinfoConsumers, xinfoGroups, xinfoStream]),
  run() {
    throw new ReplyError("wrong number of arguments for 'xinfo' command")
  },
}
