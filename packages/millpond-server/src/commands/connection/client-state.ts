/** What CLIENT says and changes of the client itself: its id, name, and which answers it wants. */
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'

const common = { group: 'connection', complexity: 'O(1)', flags: ['noscript', 'loading', 'stale'] } as const

export const clientState: readonly Command[] = [
  {
    ...common,
    name: 'id',
    since: '5.0.0',
    summary: 'Returns the unique client ID of the connection.',
    arity: 2,
    run(client, _args, reply) {
      reply.integer(client.id)
    },
  },
  {
    ...common,
    name: 'info',
    since: '6.2.0',
    summary: 'Returns information about the connection.',
    arity: 2,
    run(client, _args, reply) {
      reply.verbatim('txt', `${client.info}\n`)
    },
  },
  {
    ...common,
    name: 'getname',
    since: '2.6.9',
    summary: 'Returns the name of the connection.',
    arity: 2,
    run(client, _args, reply) {
      if (client.name === '') reply.nil()
      else reply.bulk(client.name)
    },
  },
  {
    ...common,
    name: 'setname',
    since: '2.6.9',
    summary: 'Sets the connection name.',
    arity: 3,
    syntax: 'connection-name',
    run(client, args, reply) {
      setName(client, args.text(2))
      reply.ok()
    },
  },
  {
    ...common,
    name: 'setinfo',
    since: '7.2.0',
    summary: 'Says which client library the connection comes from.',
    arity: 4,
    syntax: '<LIB-NAME libname | LIB-VER libver>',
    run(client, args, reply) {
      if (!args.is(2, 'lib-name') && !args.is(2, 'lib-ver'))
        throw new ReplyError(`Unrecognized option '${args.text(2)}'`)
      if (/[^!-~]/.test(args.text(3))) {
        throw new ReplyError(`${args.text(2)} cannot contain spaces, newlines or special characters.`)
      }
      client.library[args.is(2, 'lib-name') ? 'name' : 'version'] = args.text(3)
      reply.ok()
    },
  },
  {
    ...common,
    name: 'reply',
    since: '3.2.0',
    summary: 'Instructs the server whether to reply to commands.',
    arity: 3,
    syntax: '<ON | OFF | SKIP>',
    run(client, args, reply) {
      if (args.is(2, 'on')) {
        client.replies = 'on'
        reply.ok()
      } else if (args.is(2, 'off')) client.replies = 'off'
      else if (!args.is(2, 'skip')) throw syntaxError()
      else if (client.replies === 'on') client.replies = 'skip'
    },
  },
  {
    ...common,
    name: 'no-evict',
    since: '7.0.0',
    summary: 'Sets the client eviction mode of the connection.',
    arity: 3,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    syntax: '<ON | OFF>',
    run(client, args, reply) {
      if (!args.is(2, 'on') && !args.is(2, 'off')) throw syntaxError()
      client.noEvict = args.is(2, 'on')
      reply.ok()
    },
  },
  {
    ...common,
    name: 'no-touch',
    since: '7.2.0',
    summary: 'Controls whether commands of the client count as use of the keys that they read.',
    arity: 3,
    syntax: '<ON | OFF>',
    run(client, args, reply) {
      if (!args.is(2, 'on') && !args.is(2, 'off')) throw syntaxError()
      client.setMode(CLIENT_MODE.NO_TOUCH, args.is(2, 'on'))
      reply.ok()
    },
  },
]

/** Gives a client a name; '' takes it away. @throws ReplyError when it has what cannot be in a line of CLIENT LIST */
export function setName(client: Client, name: string): void {
  if (/[^!-~]/.test(name)) {
    throw new ReplyError('Client names cannot contain spaces, newlines or special characters.')
  }
  client.name = name
}
