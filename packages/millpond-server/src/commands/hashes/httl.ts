import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { fieldsFrom } from './field-words.ts'
import { readHash } from './live-hash.ts'

const NO_SUCH_FIELD = -2
const FOR_EVER = -1

function commandFor(name: string, summary: string, unitMs: number, relative: boolean): Command {
  return {
    name,
    since: '7.4.0',
    group: 'hash',
    summary,
    complexity: 'O(N) for N fields',
    arity: -5,
    flags: ['readonly', 'fast'],
    keys: oneKey('RO', ['access']),
    syntax: 'key FIELDS numfields field [field ...]',
    run(client, args, reply) {
      const fields = fieldsFrom(args, 2)
      const hash = readHash(client, args.span(1))
      const since = relative ? client.service.time.nowMs : 0
      reply.array(fields.length)
      for (const field of fields) {
        const expiresAtMs = hash?.expiresAtMs(field) ?? Infinity
        if (!hash?.has(field)) reply.integer(NO_SUCH_FIELD)
        else if (expiresAtMs === Infinity) reply.integer(FOR_EVER)
        else reply.integer(Math.ceil((expiresAtMs - since) / unitMs))
      }
    },
  }
}

/** How long fields still live. */
export const httl: Command = commandFor('httl', 'Returns in how many seconds fields of a hash expire.', 1000, true)
export const hpttl: Command = commandFor('hpttl', 'Returns in how many milliseconds fields of a hash expire.', 1, true)
export const hexpiretime: Command = commandFor(
  'hexpiretime',
  'Returns the moments at which fields of a hash expire, in seconds.',
  1000,
  false,
)
export const hpexpiretime: Command = commandFor(
  'hpexpiretime',
  'Returns the moments at which fields of a hash expire, in milliseconds.',
  1,
  false,
)
