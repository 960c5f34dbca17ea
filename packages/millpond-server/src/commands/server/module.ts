import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'

const common = { since: '4.0.0', group: 'server', flags: ['admin', 'noscript'] } as const

/** Modules of Redis are machine code for another server. */
export const moduleContainer: Command = {
  name: 'module',
  since: '4.0.0',
  group: 'server',
  summary: 'A container for module commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('module', '5.0.0', [
    {
      ...common,
      name: 'list',
      summary: 'Returns all loaded modules: none.',
      complexity: 'O(1)',
      arity: 2,
      run(_client, _args, reply) {
        reply.array(0)
      },
    },
    refusing('load', -3, 'Loads a module: refused.'),
    refusing('loadex', -3, 'Loads a module with parameters: refused.'),
    refusing('unload', 3, 'Unloads a module: refused.'),
  ]),
  run() {},
}

function refusing(name: string, arity: number, summary: string): Command {
  return {
    ...common,
    name,
    summary,
    complexity: 'O(1)',
    arity,
    refuses: 'no modules: they are machine code for redis-server',
    run() {
      throw new ReplyError('millpond serve loads no modules: they are machine code for redis-server')
    },
  }
}
