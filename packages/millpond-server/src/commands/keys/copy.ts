import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { copyTo, databaseAt, sameObject } from './transfer.ts'

/** Copies a key. */
export const copy: Command = {
  name: 'copy',
  since: '6.2.0',
  group: 'generic',
  summary: 'Copies what a key holds, with its expiry, to another key, perhaps of another database.',
  complexity: 'O(N) for N elements or bytes',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'RO', touches: ['access'] },
    { first: 2, last: 2, access: 'OW', touches: ['update'] },
  ],
  syntax: 'source destination [DB destination-db] [REPLACE]',
  run(client, args, reply) {
    const { db } = client
    const { targetDb, replace } = optionsOf(client, args)
    if (targetDb === db && args.text(1) === args.text(2)) throw sameObject()
    const target = args.span(2)
    const there = db.typeOf(args.span(1)) !== undefined
    if (!there || (!replace && targetDb.typeOf(target) !== undefined)) {
      reply.integer(0)
      return
    }
    copyTo(db, args.span(1), targetDb, target)
    targetDb.changed(target, 'copy_to', 'g')
    reply.integer(1)
  },
}

function optionsOf(client: Client, args: Arguments): { targetDb: Keyspace; replace: boolean } {
  let targetDb = client.db
  let replace = false
  for (let at = 3; at < args.count; at++) {
    if (args.is(at, 'replace')) replace = true
    else if (args.is(at, 'db') && at + 1 < args.count) targetDb = databaseAt(client, args, ++at)
    else throw syntaxError()
  }
  return { targetDb, replace }
}
