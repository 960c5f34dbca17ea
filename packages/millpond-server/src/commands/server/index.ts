import type { Command } from '../command.ts'
import { flushall, flushdb } from './flush.ts'

export const serverCommands: readonly Command[] = [flushall, flushdb]
