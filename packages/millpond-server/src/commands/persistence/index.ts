import type { Command } from '../command.ts'
import { dump } from './dump.ts'
import { restore } from './restore.ts'
import { bgrewriteaof, bgsave, lastsave, save } from './save.ts'

export const persistenceCommands: readonly Command[] = [bgrewriteaof, bgsave, dump, lastsave, restore, save]
