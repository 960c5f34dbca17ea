import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { databaseAt, moveTo, sameObject } from './transfer.ts'

/** Moves a key to another database. */
export const move: Command = {
  name: 'move',
  since: '1.0.0',
  group: 'generic',
  summary: 'Moves a key to another database, if it is not there.',
  complexity: 'O(1), and O(N) for a string of N bytes',
  arity: 3,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key db',
  run(client, args, reply) {
    const { db } = client
    const target = databaseAt(client, args, 2)
    if (target === db) throw sameObject()
    const key = args.span(1)
    if (db.typeOf(key) === undefined || target.typeOf(key) !== undefined) {
      reply.integer(0)
      return
    }
    moveTo(db, key, target, key)
    db.changed(key, 'move_from', 'g')
    target.changed(key, 'move_to', 'g')
    reply.integer(1)
  },
}
