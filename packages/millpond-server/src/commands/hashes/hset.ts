import type { Arguments } from '../../engine/arguments.ts'
import { wrongArity } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { editOrNewHash } from './live-hash.ts'

/** Gives fields values. */
export const hset: Command = {
  name: 'hset',
  since: '2.0.0',
  group: 'hash',
  summary: 'Gives fields of a hash values, and returns how many of them are new.',
  complexity: 'O(N) for N fields',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['update']),
  syntax: 'key field value [field value ...]',
  run(client, args, reply) {
    if (args.count % 2 === 1) throw wrongArity('hset')
    reply.integer(setFields(client, args))
  },
}

/** HSET with another answer. */
export const hmset: Command = {
  name: 'hmset',
  since: '2.0.0',
  group: 'hash',
  summary: 'Gives fields of a hash values: the old name of HSET.',
  complexity: 'O(N) for N fields',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['update']),
  syntax: 'key field value [field value ...]',
  run(client, args, reply) {
    if (args.count % 2 === 1) throw wrongArity('hmset')
    setFields(client, args)
    reply.ok()
  },
}

function setFields(client: Client, args: Arguments): number {
  const hash = editOrNewHash(client, args.span(1))
  let added = 0
  for (let at = 2; at < args.count; at += 2) {
    if (hash.setBytes(args.bytes, args.start(at), args.end(at), args.text(at + 1))) added++
  }
  client.db.changed(args.span(1), 'hset', 'h')
  return added
}
