import type { Arguments } from '../../engine/arguments.ts'
import { wrongArity } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'

/** Puts strings under several keys. */
export const mset: Command = {
  name: 'mset',
  since: '1.0.1',
  group: 'string',
  summary: 'Puts strings under several keys at once.',
  complexity: 'O(N) for N keys',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: keysTo(-1, 'OW', ['update'], 2),
  syntax: 'key value [key value ...]',
  run({ db }, args, reply) {
    if (args.count % 2 === 0) throw wrongArity('mset')
    setAll(db, args)
    reply.ok()
  },
}

/** Puts strings under several keys, if none of them holds anything. */
export const msetnx: Command = {
  name: 'msetnx',
  since: '1.0.1',
  group: 'string',
  summary: 'Puts strings under several keys at once if none of them holds anything.',
  complexity: 'O(N) for N keys',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: keysTo(-1, 'OW', ['insert'], 2),
  syntax: 'key value [key value ...]',
  run({ db }, args, reply) {
    if (args.count % 2 === 0) throw wrongArity('msetnx')
    for (let at = 1; at < args.count; at += 2) {
      if (db.typeOf(args.span(at)) === undefined) continue
      reply.integer(0)
      return
    }
    setAll(db, args)
    reply.integer(1)
  },
}

function setAll(db: Keyspace, args: Arguments): void {
  for (let at = 1; at < args.count; at += 2) {
    const key = args.span(at)
    db.setString(key, args.bytes, args.start(at + 1), args.end(at + 1))
    db.changed(key, 'set', '$')
  }
}
