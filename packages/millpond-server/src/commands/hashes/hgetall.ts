import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

const SHARED = {
  since: '2.0.0',
  group: 'hash',
  complexity: 'O(N) for N fields',
  arity: 2,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key',
} as const

/** All fields and their values. */
export const hgetall: Command = {
  ...SHARED,
  name: 'hgetall',
  summary: 'Returns all fields of a hash with their values.',
  run(client, args, reply) {
    const hash = readHash(client, args.span(1))
    reply.map(hash?.size ?? 0)
    for (const [field, value] of hash?.entries() ?? []) {
      reply.bulk(field)
      reply.bulk(value)
    }
  },
}

/** All fields. */
export const hkeys: Command = {
  ...SHARED,
  name: 'hkeys',
  summary: 'Returns all fields of a hash.',
  run(client, args, reply) {
    const hash = readHash(client, args.span(1))
    reply.array(hash?.size ?? 0)
    for (const field of hash?.fields() ?? []) reply.bulk(field)
  },
}

/** All values. */
export const hvals: Command = {
  ...SHARED,
  name: 'hvals',
  summary: 'Returns the values of all fields of a hash.',
  run(client, args, reply) {
    const hash = readHash(client, args.span(1))
    reply.array(hash?.size ?? 0)
    for (const value of hash?.values() ?? []) reply.bulk(value)
  },
}
