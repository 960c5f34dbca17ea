/** SCRIPT: the scripts that EVALSHA finds. */
import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { flushMode } from './flush-mode.ts'

const debug: Command = {
  name: 'debug',
  since: '3.2.0',
  group: 'scripting',
  summary: 'Sets the debug mode of server-side Lua scripts.',
  arity: 3,
  flags: ['noscript'],
  syntax: 'YES | SYNC | NO',
  run(_client, args, reply) {
    if (!args.is(2, 'no')) throw new ReplyError('scripts can not be debugged step by step in this server')
    reply.ok()
  },
}

const exists: Command = {
  name: 'exists',
  since: '2.6.0',
  group: 'scripting',
  summary: 'Determines whether server-side Lua scripts exist in the script cache.',
  complexity: 'O(N) with N the number of scripts to check',
  arity: -3,
  flags: ['noscript'],
  syntax: 'sha1 [sha1 ...]',
  run({ service }, args, reply) {
    reply.array(args.count - 2)
    for (const sha of args.texts(2)) reply.integer(service.scripts.has(sha) ? 1 : 0)
  },
}

const flush: Command = {
  name: 'flush',
  since: '2.6.0',
  group: 'scripting',
  summary: 'Removes all server-side Lua scripts from the script cache.',
  complexity: 'O(N) with N the number of scripts in the cache',
  arity: -2,
  flags: ['noscript'],
  syntax: '[ASYNC | SYNC]',
  run({ service }, args, reply) {
    flushMode(args, 'SCRIPT FLUSH')
    service.scripts.flush()
    reply.ok()
  },
}

const kill: Command = {
  name: 'kill',
  since: '2.6.0',
  group: 'scripting',
  summary: 'Terminates a server-side Lua script during execution.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['noscript', 'allow_busy'],
  run({ service }, _args, reply) {
    service.scripts.kill('script')
    reply.ok()
  },
}

const load: Command = {
  name: 'load',
  since: '2.6.0',
  group: 'scripting',
  summary: 'Loads a server-side Lua script to the script cache.',
  complexity: 'O(N) with N the length of the script',
  arity: 3,
  flags: ['noscript', 'stale'],
  syntax: 'script',
  run({ service }, args, reply) {
    reply.bulk(service.scripts.load(args.text(2)).sha)
  },
}

/** The scripts that EVALSHA finds. */
export const scriptContainer: Command = {
  name: 'script',
  since: '2.6.0',
  group: 'scripting',
  summary: 'A container for Lua scripts management commands.',
  arity: -2,
  flags: [],
  subcommands: withHelp('script', '5.0.0', [debug, exists, flush, kill, load]),
  run() {
    throw new ReplyError("wrong number of arguments for 'script' command")
  },
}
