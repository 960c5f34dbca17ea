import { aclContainer } from '../acl/acl-container.ts'
import type { Command } from '../command.ts'
import { configContainer } from '../configuration/config-container.ts'
import { aloneCommands } from './alone.ts'
import { cluster } from './cluster.ts'
import { commandContainer } from './command.ts'
import { dbsize } from './dbsize.ts'
import { debug } from './debug.ts'
import { flushall, flushdb } from './flush.ts'
import { info } from './info/info.ts'
import { latency } from './latency.ts'
import { lolwut } from './lolwut.ts'
import { memory } from './memory.ts'
import { migrate } from './migrate.ts'
import { moduleContainer } from './module.ts'
import { monitor } from './monitor.ts'
import { shutdown } from './shutdown.ts'
import { slowlog } from './slowlog.ts'
import { swapdb } from './swapdb.ts'
import { time } from './time.ts'

export const serverCommands: readonly Command[] = [
  cluster,
  aclContainer,
  ...aloneCommands,
  commandContainer,
  configContainer,
  dbsize,
  debug,
  flushall,
  flushdb,
  info,
  latency,
  lolwut,
  memory,
  migrate,
  moduleContainer,
  monitor,
  shutdown,
  slowlog,
  swapdb,
  time,
]
