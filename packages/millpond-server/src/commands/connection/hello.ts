import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { MILLPOND_VERSION, REDIS_VERSION } from '../versions.ts'
import { setName } from './client-state.ts'
import { answerRefusal, signIn } from './sign-in.ts'

/** Agrees on the version of the protocol, and may say who the client is. */
export const hello: Command = {
  name: 'hello',
  since: '6.0.0',
  group: 'connection',
  summary: 'Handshakes with the server.',
  complexity: 'O(1)',
  arity: -1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  syntax: '[protover [AUTH <username | cache> <password | token>] [SETNAME clientname]]',
  run(client, args, reply) {
    const version = args.count > 1 ? versionOf(args) : undefined
    for (let at = 2; at < args.count; at++) {
      at = apply(client, args, at)
      if (at < 0) return
    }
    if (!client.authenticated && client.service.accessControl.mustAuthenticate) {
      throw new ReplyError(
        'HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
        'NOAUTH',
      )
    }
    if (version !== undefined) client.speak(version)
    answer(client, reply)
  },
  timedOut: answerRefusal,
}

function versionOf(args: Arguments): 2 | 3 {
  const version = args.integer(1, () => new ReplyError('Protocol version is not an integer or out of range'))
  if (version !== 2 && version !== 3) throw new ReplyError('unsupported protocol version', 'NOPROTO')
  return version
}

/** Does what one option says, and returns the place of its last word; below 0: it was wrong, and the answer waits. */
function apply(client: Client, args: Arguments, at: number): number {
  if (args.is(at, 'auth') && at + 2 < args.count) {
    client.hide(at + 1, at + 2)
    return signIn(client, args.text(at + 1), args.text(at + 2)) ? at + 2 : -1
  }
  if (args.is(at, 'setname') && at + 1 < args.count) {
    setName(client, args.text(at + 1))
    return at + 1
  }
  throw new ReplyError(`Syntax error in HELLO option '${args.text(at)}'`)
}

function answer(client: Client, reply: Reply): void {
  reply.map(8)
  reply.bulk('server')
  reply.bulk('redis')
  reply.bulk('version')
  reply.bulk(REDIS_VERSION)
  reply.bulk('proto')
  reply.integer(client.protocol)
  reply.bulk('id')
  reply.integer(client.id)
  reply.bulk('mode')
  reply.bulk('standalone')
  reply.bulk('role')
  reply.bulk('master')
  reply.bulk('modules')
  reply.array(0)
  reply.bulk('millpond')
  introduce(client, reply)
}

/** What no Redis has: clients that know us choose by it what they ask. */
function introduce({ service }: Client, reply: Reply): void {
  const own = OWN_COMMANDS.filter((name) => service.commands.named(name) !== undefined)
  reply.map(2)
  reply.bulk('version')
  reply.bulk(MILLPOND_VERSION)
  reply.bulk('commands')
  reply.array(own.length)
  for (const name of own) reply.bulk(name)
}

const OWN_COMMANDS = ['cache', 'fill', 'token', 'topic', 'transfer']
