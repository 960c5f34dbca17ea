/** What CLIENT does with other clients: listing, ending, waking and pausing them. */
import type { Arguments } from '../../engine/arguments.ts'
import { notInteger, ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import { clientType } from '../client-info.ts'
import type { Command } from '../command.ts'
import type { Service } from '../service.ts'
import { millisecondsOf } from '../timeouts.ts'

const common = { group: 'connection', flags: ['admin', 'noscript', 'loading', 'stale'] } as const

const list: Command = {
  ...common,
  name: 'list',
  since: '2.4.0',
  summary: 'Lists open connections.',
  complexity: 'O(N) for N connections',
  arity: -2,
  syntax: '[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]',
  run({ service }, args, reply) {
    reply.verbatim(
      'txt',
      listed(service, args)
        .map(({ info }) => `${info}\n`)
        .join(''),
    )
  },
}

function listed(service: Service, args: Arguments): Client[] {
  const all = [...service.clients.values()].filter(({ isClosing }) => !isClosing)
  if (args.count === 2) return all
  if (args.count === 4 && args.is(2, 'type')) {
    const type = typeOf(args.text(3))
    return all.filter((client) => clientType(client) === type)
  }
  if (args.count < 4 || !args.is(2, 'id')) throw syntaxError()
  const invalid = (): ReplyError => new ReplyError('Invalid client ID')
  const ids = Array.from({ length: args.count - 3 }, (_, at) => args.integer(at + 3, invalid))
  return ids.map((id) => service.clients.get(id)).filter((client) => client !== undefined)
}

const TYPES = ['normal', 'slave', 'replica', 'master', 'pubsub']

function typeOf(name: string): string {
  const type = name.toLowerCase()
  if (!TYPES.includes(type)) throw new ReplyError(`Unknown client type '${name}'`)
  return type
}

const kill: Command = {
  ...common,
  name: 'kill',
  since: '2.4.0',
  summary: 'Terminates open connections.',
  complexity: 'O(N) for N connections',
  arity: -3,
  syntax:
    '<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>]> ...>',
  run(client, args, reply) {
    const old = args.count === 3
    const matches = old ? byAddress(args.text(2)) : filterOf(client, args)
    const killed = [...client.service.clients.values()].filter(matches)
    if (old && killed.length === 0) throw new ReplyError('No such client')
    if (old) reply.ok()
    else reply.integer(killed.length)
    for (const one of killed) one.close(one === client ? 'after the answer' : 'now')
  },
}

type Filter = (client: Client) => boolean

function byAddress(address: string): Filter {
  return (client) => client.address === address
}

function filterOf(own: Client, args: Arguments): Filter {
  const filters: Filter[] = []
  let skipMe = true
  for (let at = 2; at < args.count; at += 2) {
    if (at + 1 >= args.count) throw syntaxError()
    const value = args.text(at + 1)
    if (args.is(at, 'skipme')) {
      if (!args.is(at + 1, 'yes') && !args.is(at + 1, 'no')) throw syntaxError()
      skipMe = args.is(at + 1, 'yes')
    } else filters.push(oneFilter(own, args, at, value))
  }
  return (client) => !(skipMe && client === own) && filters.every((filter) => filter(client))
}

function oneFilter({ service }: Client, args: Arguments, at: number, value: string): Filter {
  if (args.is(at, 'id')) {
    const failure = (): ReplyError => new ReplyError('client-id should be greater than 0')
    const id = args.integer(at + 1, failure)
    if (id < 1) throw failure()
    return (client) => client.id === id
  }
  if (args.is(at, 'type')) {
    const type = typeOf(value)
    return (client) => clientType(client) === type
  }
  if (args.is(at, 'addr')) return byAddress(value)
  if (args.is(at, 'laddr')) return (client) => client.localAddress === value
  if (!args.is(at, 'user')) throw syntaxError()
  const user = service.accessControl.user(value)
  if (user === undefined) throw new ReplyError(`No such user '${value}'`)
  return (client) => client.user === user
}

const unblock: Command = {
  ...common,
  name: 'unblock',
  since: '5.0.0',
  summary: 'Unblocks a client blocked by a blocking command from a different connection.',
  complexity: 'O(1)',
  arity: -3,
  syntax: 'client-id [TIMEOUT | ERROR]',
  run({ service }, args, reply) {
    if (args.count > 4) throw syntaxError()
    const asError = args.count === 4 && args.is(3, 'error')
    if (args.count === 4 && !asError && !args.is(3, 'timeout')) {
      throw new ReplyError('CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
    }
    const target = service.clients.get(args.integer(2, notInteger))
    const waits = target?.waiting !== undefined && target.waiting.keys.length > 0
    if (waits) {
      service.waiters.end(
        target,
        asError ? new ReplyError('client unblocked via CLIENT UNBLOCK', 'UNBLOCKED') : 'time is over',
      )
    }
    reply.integer(waits ? 1 : 0)
  },
}

const pause: Command = {
  ...common,
  name: 'pause',
  since: '2.9.50',
  summary: 'Suspends commands processing.',
  complexity: 'O(1)',
  arity: -3,
  syntax: 'timeout [WRITE | ALL]',
  run({ service }, args, reply) {
    if (args.count > 4) throw syntaxError()
    const write = args.count === 4 && args.is(3, 'write')
    if (args.count === 4 && !write && !args.is(3, 'all')) throw new ReplyError('CLIENT PAUSE mode must be WRITE or ALL')
    const forMs = millisecondsOf(args, 2)
    service.pause.begin(write ? 'write' : 'all', service.time.nowMs + (forMs === Number.POSITIVE_INFINITY ? 0 : forMs))
    reply.ok()
  },
}

const unpause: Command = {
  ...common,
  name: 'unpause',
  since: '6.2.0',
  summary: 'Resumes processing commands from paused clients.',
  complexity: 'O(N) for N paused clients',
  arity: 2,
  run({ service }, _args, reply) {
    reply.ok()
    service.pause.end()
  },
}

export const clientOthers: readonly Command[] = [list, kill, unblock, pause, unpause]
