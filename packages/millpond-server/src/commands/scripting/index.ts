import type { Command } from '../command.ts'
import { functionContainer } from './function.ts'

export const scriptingCommands: readonly Command[] = [functionContainer]
