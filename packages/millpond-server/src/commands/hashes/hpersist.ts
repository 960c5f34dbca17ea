import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { fieldsFrom } from './field-words.ts'
import { editHash } from './live-hash.ts'

const NO_SUCH_FIELD = -2
const LIVED_FOR_EVER = -1
const DONE = 1

/** Lets fields live for ever. */
export const hpersist: Command = {
  name: 'hpersist',
  since: '7.4.0',
  group: 'hash',
  summary: 'Lets fields of a hash live for ever.',
  complexity: 'O(N) for N fields',
  arity: -5,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['update']),
  syntax: 'key FIELDS numfields field [field ...]',
  run(client, args, reply) {
    const fields = fieldsFrom(args, 2)
    const hash = editHash(client, args.span(1))
    const answers = fields.map((field) => {
      if (!hash?.has(field)) return NO_SUCH_FIELD
      if (hash.expiresAtMs(field) === Infinity) return LIVED_FOR_EVER
      hash.setExpiry(field, Infinity)
      return DONE
    })
    if (answers.includes(DONE)) client.db.changed(args.span(1), 'hpersist', 'h')
    reply.array(answers.length)
    for (const answer of answers) reply.integer(answer)
  },
}
