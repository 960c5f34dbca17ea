import type { Command } from '../command.ts'
import { cacheContainer } from './cache-container.ts'

export const cacheCommands: readonly Command[] = [cacheContainer]
