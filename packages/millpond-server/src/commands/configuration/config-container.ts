import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { Glob } from '../../engine/glob.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import type { Service } from '../service.ts'
import { rewriteConfigFile } from './config-file.ts'
import { ConfigurationError } from './configuration.ts'

const common = { since: '2.0.0', group: 'server', flags: ['admin', 'noscript', 'loading', 'stale'] } as const

const get: Command = {
  ...common,
  name: 'get',
  summary: 'Returns the effective values of configuration parameters.',
  complexity: 'O(N) when N is the number of configuration parameters provided',
  arity: -3,
  syntax: 'parameter [parameter ...]',
  run({ service }, args, reply) {
    const globs = args.texts(2).map((pattern) => new Glob(pattern, true))
    const asked = args.texts(2).map((name) => name.toLowerCase())
    const found = [...service.configuration].filter(([name]) =>
      service.configuration.parameter(name)!.hidden ? asked.includes(name) : globs.some((glob) => glob.matches(name)),
    )
    reply.map(found.length)
    for (const [name, value] of found) {
      reply.bulk(name)
      reply.bulk(value)
    }
  },
}

const set: Command = {
  ...common,
  name: 'set',
  summary: 'Sets configuration parameters in-flight.',
  complexity: 'O(N) when N is the number of configuration parameters provided',
  arity: -4,
  syntax: 'parameter value [parameter value ...]',
  run(client, args, reply) {
    if (args.count % 2 !== 0) throw syntaxError()
    const values = valuesOf(client, args)
    try {
      client.service.configuration.set(values)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      throw failed(error.parameter, error.reason)
    }
    reply.ok()
  },
}

function valuesOf(client: Client, args: Arguments): [string, string][] {
  const { configuration } = client.service
  const values: [string, string][] = []
  let problem: ReplyError | undefined
  for (let at = 2; at < args.count; at += 2) {
    const name = args.text(at)
    const parameter = configuration.parameter(name)
    if (parameter?.secret) client.hide(at + 1)
    if (problem) continue
    if (parameter === undefined) {
      problem = new ReplyError(`Unknown option or number of arguments for CONFIG SET - '${name}'`)
    } else if (parameter.immutable) problem = failed(name, "can't set immutable config")
    else if (parameter.guarded && changes(client, parameter.name, args.text(at + 1))) {
      problem = failed(name, "can't set protected config")
    } else if (values.some(([other]) => other === parameter.name)) problem = failed(name, 'duplicate parameter')
    else values.push([parameter.name, args.text(at + 1)])
  }
  if (problem) throw problem
  return values
}

/** Whether somebody who may not touch guarded parameters asks for another value: what it is already, anybody may give it. */
function changes(client: Client, name: string, value: string): boolean {
  return value !== client.service.configuration.text(name) && !client.isAllowedBy('enable-protected-configs')
}

function failed(name: string, why: string): ReplyError {
  return new ReplyError(`CONFIG SET failed (possibly related to argument '${name}') - ${why}`)
}

const resetstat: Command = {
  ...common,
  name: 'resetstat',
  summary: "Resets the server's statistics.",
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    service.statistics.reset()
    service.changes.expired = 0
    service.changes.evicted = 0
    for (const database of service.databases) {
      database.hits = 0
      database.misses = 0
    }
    reply.ok()
  },
}

const rewrite: Command = {
  ...common,
  name: 'rewrite',
  since: '2.8.0',
  summary: 'Persists the effective configuration to file.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    rewriteConfig(service)
    reply.ok()
  },
}

/** Writes the configuration file anew, with `all`: also what is as it is by itself. @throws ReplyError there is none, or it can not be written */
export function rewriteConfig({ configuration, accessControl }: Service, all = false): void {
  if (configuration.file === undefined) throw new ReplyError('The server is running without a config file')
  const users =
    configuration.text('aclfile') === '' ? accessControl.users.map(({ name, text }) => `${name} ${text}`) : []
  try {
    rewriteConfigFile(configuration, users, all)
  } catch (error) {
    throw new ReplyError(`Rewriting config file: ${(error as Error).message}`)
  }
}

/** The configuration of the server. */
export const configContainer: Command = {
  name: 'config',
  since: '2.0.0',
  group: 'server',
  summary: 'A container for server configuration commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('config', '5.0.0', [get, resetstat, rewrite, set]),
  run() {},
}
