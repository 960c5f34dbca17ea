import type { Arguments } from '../../engine/arguments.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'

/** Removes keys. */
export const del: Command = {
  name: 'del',
  since: '1.0.0',
  group: 'generic',
  summary: 'Removes keys, and returns how many were there.',
  complexity: 'O(N) for N keys',
  arity: -2,
  flags: ['write'],
  keys: keysTo(-1, 'RM', ['delete']),
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    reply.integer(deleteAll(db, args))
  },
}

/** The same: what a collection held is given back by the garbage collector, not by the command. */
export const unlink: Command = {
  ...del,
  name: 'unlink',
  since: '4.0.0',
  summary: 'Removes keys, and returns how many were there; their memory is given back later. DEL does the same.',
  complexity: 'O(1) for each key',
  flags: ['write', 'fast'],
}

function deleteAll(db: Keyspace, args: Arguments): number {
  let deleted = 0
  for (let at = 1; at < args.count; at++) {
    const key = args.span(at)
    if (!db.delete(key)) continue
    db.changed(key, 'del', 'g')
    deleted++
  }
  return deleted
}
