import type { Command } from '../command.ts'
import { ping } from './ping.ts'
import { select } from './select.ts'

export const connectionCommands: readonly Command[] = [ping, select]
