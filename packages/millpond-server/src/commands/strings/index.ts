import type { Command } from '../command.ts'
import { get } from './get.ts'
import { set } from './set.ts'

export const stringCommands: readonly Command[] = [get, set]
