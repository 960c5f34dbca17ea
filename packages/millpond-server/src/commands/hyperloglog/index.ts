import type { Command } from '../command.ts'
import { pfadd, pfcount, pfmerge } from './pf.ts'

export const hyperLogLogCommands: readonly Command[] = [pfadd, pfcount, pfmerge]
