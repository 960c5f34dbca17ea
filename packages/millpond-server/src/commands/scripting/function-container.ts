/** FUNCTION: libraries of functions that stay on the server. */
import { ReplyError } from '../../engine/errors.ts'
import { Glob } from '../../engine/glob.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { flushMode } from './flush-mode.ts'
import type { FunctionLibrary } from './function-libraries.ts'
import { dump, restore } from './function-payload.ts'

const deleteLibrary: Command = {
  name: 'delete',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Deletes a library and its functions.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['noscript', 'write'],
  syntax: 'library-name',
  run({ service }, args, reply) {
    service.scripts.functions.delete(args.text(2))
    service.changes.count++
    reply.ok()
  },
}

const flush: Command = {
  name: 'flush',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Deletes all libraries and functions.',
  complexity: 'O(N) where N is the number of functions deleted',
  arity: -2,
  flags: ['noscript', 'write'],
  syntax: '[ASYNC | SYNC]',
  run({ service }, args, reply) {
    flushMode(args, 'FUNCTION FLUSH')
    service.scripts.functions.flush()
    service.changes.count++
    reply.ok()
  },
}

const kill: Command = {
  name: 'kill',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Terminates a function during execution.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['noscript', 'allow_busy'],
  run({ service }, _args, reply) {
    service.scripts.kill('function')
    reply.ok()
  },
}

const list: Command = {
  name: 'list',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Returns information about all libraries.',
  complexity: 'O(N) where N is the number of functions',
  arity: -2,
  flags: ['noscript'],
  syntax: '[LIBRARYNAME library-name-pattern] [WITHCODE]',
  run({ service }, args, reply) {
    let withCode = false
    let pattern: string | undefined
    for (let at = 2; at < args.count; at++) {
      if (!withCode && args.is(at, 'withcode')) withCode = true
      else if (pattern === undefined && args.is(at, 'libraryname')) {
        if (++at === args.count) throw new ReplyError('library name argument was not given')
        pattern = args.text(at)
      } else throw new ReplyError(`Unknown argument ${args.text(at)}`)
    }
    const glob = new Glob(pattern ?? '*', true)
    const libraries = service.scripts.functions.all.filter(({ name }) => glob.matches(name))
    reply.array(libraries.length)
    for (const library of libraries) tell(library, withCode, reply)
  },
}

function tell({ name, text, functions }: FunctionLibrary, withCode: boolean, reply: Reply): void {
  reply.map(withCode ? 4 : 3)
  reply.bulk('library_name')
  reply.bulk(name)
  reply.bulk('engine')
  reply.bulk('LUA')
  reply.bulk('functions')
  reply.array(functions.length)
  for (const each of functions) {
    reply.map(3)
    reply.bulk('name')
    reply.bulk(each.name)
    reply.bulk('description')
    if (each.description === undefined) reply.nil()
    else reply.bulk(each.description)
    reply.bulk('flags')
    reply.set(each.flags.size)
    for (const flag of each.flags) reply.simple(flag)
  }
  if (!withCode) return
  reply.bulk('library_code')
  reply.bulk(text)
}

const load: Command = {
  name: 'load',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Creates a library.',
  complexity: 'O(1) (considering compilation time is redundant)',
  arity: -3,
  flags: ['noscript', 'write', 'denyoom'],
  syntax: '[REPLACE] function-code',
  run({ service }, args, reply) {
    let replace = false
    for (let at = 2; at < args.count - 1; at++) {
      if (!args.is(at, 'replace')) throw new ReplyError(`Unknown option given: ${args.text(at)}`)
      replace = true
    }
    const name = service.scripts.functions.load(args.text(args.count - 1), replace)
    service.changes.count++
    reply.bulk(name)
  },
}

const stats: Command = {
  name: 'stats',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Returns information about a function during execution.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['noscript', 'allow_busy'],
  run({ service: { scripts } }, _args, reply) {
    const { run, functions } = scripts
    reply.map(2)
    reply.bulk('running_script')
    if (run?.isBusy) {
      reply.map(3)
      reply.bulk('name')
      reply.bulk(run.call.name)
      reply.bulk('command')
      const words = run.words
      reply.array(words.length)
      for (const word of words) reply.bulk(word)
      reply.bulk('duration_ms')
      reply.integer(Math.round(performance.now() - run.beganMs))
    } else reply.nil()
    reply.bulk('engines')
    reply.map(1)
    reply.bulk('LUA')
    reply.map(2)
    reply.bulk('libraries_count')
    reply.integer(functions.all.length)
    reply.bulk('functions_count')
    reply.integer(functions.functionCount)
  },
}

/** Libraries of functions that stay on the server. */
export const functionContainer: Command = {
  name: 'function',
  since: '7.0.0',
  group: 'scripting',
  summary: 'A container for function commands.',
  arity: -2,
  flags: [],
  subcommands: withHelp('function', '7.0.0', [deleteLibrary, dump, flush, kill, list, load, restore, stats]),
  run() {
    throw new ReplyError("wrong number of arguments for 'function' command")
  },
}
