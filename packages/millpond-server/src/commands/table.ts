/** All commands by name. A command that is added is named here, in its chapter's `index.ts`. */
import { bitmapCommands } from './bitmaps/index.ts'
import { cacheCommands } from './caches/index.ts'
import type { Command } from './command.ts'
import { connectionCommands } from './connection/index.ts'
import { fillCommands } from './fills/index.ts'
import { geoCommands } from './geo/index.ts'
import { hashCommands } from './hashes/index.ts'
import { hyperLogLogCommands } from './hyperloglog/index.ts'
import { keyCommands } from './keys/index.ts'
import { listCommands } from './lists/index.ts'
import { persistenceCommands } from './persistence/index.ts'
import { pubsubCommands } from './pubsub/index.ts'
import { scriptingCommands } from './scripting/index.ts'
import { serverCommands } from './server/index.ts'
import { setCommands } from './sets/index.ts'
import { sortedSetCommands } from './sorted-sets/index.ts'
import { streamCommands } from './streams/index.ts'
import { stringCommands } from './strings/index.ts'
import { tokenCommands } from './tokens/index.ts'
import { topicCommands } from './topics/index.ts'
import { transactionCommands } from './transactions/index.ts'
import { transferCommands } from './transfers/index.ts'

export const COMMANDS: readonly Command[] = [
  ...bitmapCommands,
  ...cacheCommands,
  ...connectionCommands,
  ...fillCommands,
  ...geoCommands,
  ...hashCommands,
  ...hyperLogLogCommands,
  ...keyCommands,
  ...listCommands,
  ...persistenceCommands,
  ...pubsubCommands,
  ...scriptingCommands,
  ...serverCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...streamCommands,
  ...stringCommands,
  ...topicCommands,
  ...tokenCommands,
  ...transactionCommands,
  ...transferCommands,
]
