import type { Command } from '../command.ts'
import { ping } from './ping.ts'

export const connectionCommands: readonly Command[] = [ping]
