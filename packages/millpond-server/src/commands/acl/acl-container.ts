import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { aclQuestions } from './acl-questions.ts'
import { aclUsers } from './acl-users.ts'

/** Users, and what they may do. */
export const aclContainer: Command = {
  name: 'acl',
  since: '6.0.0',
  group: 'server',
  summary: 'A container for Access List Control commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('acl', '6.0.0', [...aclUsers, ...aclQuestions]),
  run() {},
}
