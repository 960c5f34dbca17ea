import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { clientOthers } from './client-others.ts'
import { clientState } from './client-state.ts'
import { clientTracking } from './client-tracking.ts'

/** What is said of connections, and done with them. */
export const clientContainer: Command = {
  name: 'client',
  since: '2.4.0',
  group: 'connection',
  summary: 'A container for client connection commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('client', '5.0.0', [...clientState, ...clientOthers, ...clientTracking]),
  run() {},
}
