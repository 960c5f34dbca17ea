import type { Arguments } from '../../engine/arguments.ts'
import { noSuchKey } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Command, KeySpec } from '../command.ts'
import { moveTo } from './transfer.ts'

function specs(touches: 'update' | 'insert'): readonly KeySpec[] {
  return [
    { first: 1, last: 1, access: 'RW', touches: ['access', 'delete'] },
    { first: 2, last: 2, access: 'OW', touches: [touches] },
  ]
}

/** Gives a key another name. */
export const rename: Command = {
  name: 'rename',
  since: '1.0.0',
  group: 'generic',
  summary: 'Gives a key another name, in place of what has that name.',
  complexity: 'O(1), and O(N) for a string of N bytes',
  arity: 3,
  flags: ['write'],
  keys: specs('update'),
  syntax: 'key newkey',
  run({ db }, args, reply) {
    if (db.typeOf(args.span(1)) === undefined) throw noSuchKey()
    if (args.text(1) !== args.text(2)) move(db, args)
    reply.ok()
  },
}

/** Gives a key another name that nothing has. */
export const renamenx: Command = {
  name: 'renamenx',
  since: '1.0.0',
  group: 'generic',
  summary: 'Gives a key another name if nothing has it.',
  complexity: 'O(1), and O(N) for a string of N bytes',
  arity: 3,
  flags: ['write', 'fast'],
  keys: specs('insert'),
  syntax: 'key newkey',
  run({ db }, args, reply) {
    if (db.typeOf(args.span(1)) === undefined) throw noSuchKey()
    const free = db.typeOf(args.span(2)) === undefined
    if (free) move(db, args)
    reply.integer(free ? 1 : 0)
  },
}

function move(db: Keyspace, args: Arguments): void {
  moveTo(db, args.span(1), db, args.span(2))
  db.changed(args.span(1), 'rename_from', 'g')
  db.changed(args.span(2), 'rename_to', 'g')
}
