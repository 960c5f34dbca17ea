import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { xgroupCreate } from './xgroup-create.ts'
import { xgroupCreateconsumer } from './xgroup-createconsumer.ts'
import { xgroupDelconsumer } from './xgroup-delconsumer.ts'
import { xgroupDestroy } from './xgroup-destroy.ts'
import { xgroupSetid } from './xgroup-setid.ts'

/** Makes, changes and removes consumer groups. */
export const xgroup: Command = {
  name: 'xgroup',
  since: '5.0.0',
  group: 'stream',
  summary: 'Makes, changes and removes consumer groups.',
  arity: -2,
  flags: [],
  subcommands: withHelp('xgroup', '5.0.0', [
    xgroupCreate,
    xgroupCreateconsumer,
    xgroupDelconsumer,
    xgroupDestroy,
    xgroupSetid,
  ]),
  run() {
    throw new ReplyError("wrong number of arguments for 'xgroup' command")
  },
}
