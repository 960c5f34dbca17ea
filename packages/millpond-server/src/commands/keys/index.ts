import type { Command } from '../command.ts'
import { del } from './del.ts'

export const keyCommands: readonly Command[] = [del]
