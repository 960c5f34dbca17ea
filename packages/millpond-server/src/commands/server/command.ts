import { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { Glob } from '../../engine/glob.ts'
import type { Reply } from '../../engine/reply.ts'
import { CATEGORIES, categoriesOf } from '../acl/categories.ts'
import type { Command } from '../command.ts'
import type { CommandEntry } from '../command-table.ts'
import { withHelp } from '../help.ts'
import { type KeyPlace, keyPlaces } from '../key-places.ts'
import type { Service } from '../service.ts'
import { flagsOf, writeDocs, writeInfo } from './command-words.ts'

const common = {
  since: '2.8.13',
  group: 'server',
  flags: ['loading', 'stale'],
  categories: ['connection'],
} as const

const count: Command = {
  ...common,
  name: 'count',
  summary: 'Returns a count of commands.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    reply.integer(service.commands.top.length)
  },
}

const info: Command = {
  ...common,
  name: 'info',
  summary: 'Returns information about one, multiple or all commands.',
  complexity: 'O(N) where N is the number of commands to look up',
  arity: -2,
  syntax: '[command-name [command-name ...]]',
  run({ service }, args, reply) {
    if (args.count === 2) {
      writeAll(service, reply)
      return
    }
    reply.array(args.count - 2)
    for (const name of args.texts(2)) {
      const entry = service.commands.named(name)
      if (entry) writeInfo(entry, reply)
      else reply.nilArray()
    }
  },
}

function writeAll(service: Service, reply: Reply): void {
  const entries = service.commands.top
  reply.array(entries.length)
  for (const entry of entries) writeInfo(entry, reply)
}

const docs: Command = {
  ...common,
  name: 'docs',
  since: '7.0.0',
  summary: 'Returns documentary information about one, multiple or all commands.',
  complexity: 'O(N) where N is the number of commands to look up',
  arity: -2,
  syntax: '[command-name [command-name ...]]',
  run({ service }, args, reply) {
    const { commands } = service
    const entries =
      args.count === 2
        ? commands.top
        : args
            .texts(2)
            .map((name) => commands.named(name))
            .filter((entry) => entry !== undefined)
    reply.map(entries.length)
    for (const entry of entries) {
      reply.bulk(entry.fullName)
      writeDocs(entry, reply)
    }
  },
}

const list: Command = {
  ...common,
  name: 'list',
  since: '7.0.0',
  summary: 'Returns a list of command names.',
  complexity: 'O(N) where N is the total number of commands',
  arity: -2,
  syntax: '[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]',
  run({ service }, args, reply) {
    const wanted = filterOf(args)
    const entries = service.commands.entries.filter(wanted)
    reply.array(entries.length)
    for (const { fullName } of entries) reply.bulk(fullName)
  },
}

function filterOf(args: Arguments): (entry: CommandEntry) => boolean {
  if (args.count === 2) return () => true
  if (args.count !== 5 || !args.is(2, 'filterby')) throw syntaxError()
  if (args.is(3, 'module')) return () => false
  if (args.is(3, 'aclcat')) {
    const category = CATEGORIES.find((name) => name === args.text(4).toLowerCase())
    return (entry) => category !== undefined && categoriesOf(entry).has(category)
  }
  if (!args.is(3, 'pattern')) throw syntaxError()
  const glob = new Glob(args.text(4), true)
  return ({ fullName }) => glob.matches(fullName)
}

const getkeys: Command = {
  ...common,
  name: 'getkeys',
  summary: 'Extracts the key names from an arbitrary command.',
  complexity: 'O(N) where N is the number of arguments to the command',
  arity: -3,
  syntax: 'command [arg [arg ...]]',
  run({ service }, args, reply) {
    const { words, places } = placesIn(service, args)
    reply.array(places.length)
    for (const { place } of places) reply.bulk(words.text(place))
  },
}

const getkeysandflags: Command = {
  ...getkeys,
  name: 'getkeysandflags',
  since: '7.0.0',
  summary: 'Extracts the key names and access flags for an arbitrary command.',
  run({ service }, args, reply) {
    const { words, places } = placesIn(service, args)
    reply.array(places.length)
    for (const { place, spec } of places) {
      const flags = flagsOf(spec)
      reply.array(2)
      reply.bulk(words.text(place))
      reply.set(flags.length)
      for (const flag of flags) reply.simple(flag)
    }
  },
}

function placesIn({ commands }: Service, args: Arguments): { words: Arguments; places: readonly KeyPlace[] } {
  const words = Arguments.of(args.texts(2))
  const entry = commands.find(words)
  if (entry === undefined) throw new ReplyError('Invalid command specified')
  const { command, arity } = entry
  if (!command.keys?.length && !command.keysOf) throw new ReplyError('The command has no key arguments')
  if (arity > 0 ? words.count !== arity : words.count < -arity) {
    throw new ReplyError('Invalid number of arguments specified for command')
  }
  const places = keyPlaces(command, words, true)
  if (places.length === 0 && !entry.has('no_mandatory_keys')) {
    throw new ReplyError('Invalid arguments specified for command')
  }
  return { words, places }
}

/** What the server knows of its own commands. */
export const commandContainer: Command = {
  ...common,
  name: 'command',
  summary: 'Returns detailed information about all commands.',
  complexity: 'O(N) where N is the total number of commands',
  arity: -1,
  subcommands: withHelp('command', '5.0.0', [count, docs, getkeys, getkeysandflags, info, list]),
  run({ service }, _args, reply) {
    writeAll(service, reply)
  },
}
