import type { Command } from '../command.ts'
import { tokenContainer } from './token-container.ts'

export const tokenCommands: readonly Command[] = [tokenContainer]
