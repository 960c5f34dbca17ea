import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { fillBump, fillFence } from './fence.ts'
import { fillPut } from './fill.ts'
import { fillLease, fillRelease } from './lease.ts'
import { fillRead } from './read.ts'
import { fillVersion } from './version.ts'

/** What shared tiers of the library ask of this server: each of their steps in one command, where elsewhere a script would run. */
export const fillCommands: readonly Command[] = [
  {
    name: 'fill',
    since: '0.1.0',
    group: 'string',
    summary: 'A container for commands of shared tiers: fenced fills, tombstones, versions of tags, leases.',
    complexity: 'Depends on subcommand.',
    arity: -2,
    flags: [],
    subcommands: withHelp('fill', '0.1.0', [
      fillBump,
      fillFence,
      fillLease,
      fillPut,
      fillRead,
      fillRelease,
      fillVersion,
    ]),
    run() {},
  },
]
