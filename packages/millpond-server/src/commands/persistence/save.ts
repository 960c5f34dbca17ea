/** Commands that write what is held to disk. */
import { syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Writes the RDB file at once: nobody is served meanwhile. */
export const save: Command = {
  name: 'save',
  since: '1.0.0',
  group: 'server',
  summary: 'Synchronously saves the database(s) to disk.',
  complexity: 'O(N) for N keys',
  arity: 1,
  flags: ['admin', 'noscript', 'no_multi'],
  run({ service }, _args, reply) {
    service.persistence.save()
    reply.ok()
  },
}

/** Writes the RDB file in steps of a few milliseconds. */
export const bgsave: Command = {
  name: 'bgsave',
  since: '1.0.0',
  group: 'server',
  summary: 'Asynchronously saves the database(s) to disk.',
  complexity: 'O(1)',
  arity: -1,
  flags: ['admin', 'noscript'],
  syntax: '[SCHEDULE]',
  run({ service }, args, reply) {
    if (args.count > 2 || (args.count === 2 && !args.is(1, 'schedule'))) throw syntaxError()
    service.persistence.saveInBackground()
    reply.simple('Background saving started')
  },
}

/** Makes the append-only log short again. */
export const bgrewriteaof: Command = {
  name: 'bgrewriteaof',
  since: '1.0.0',
  group: 'server',
  summary: 'Asynchronously rewrites the append-only file to disk.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['admin', 'noscript'],
  run({ service }, _args, reply) {
    service.persistence.log.rewrite()
    reply.simple('Background append only file rewriting started')
  },
}

/** When the RDB file was last written, in seconds since 1970. */
export const lastsave: Command = {
  name: 'lastsave',
  since: '1.0.0',
  group: 'server',
  summary: 'Returns the Unix timestamp of the last successful save to disk.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['loading', 'stale', 'fast'],
  categories: ['admin', 'dangerous'],
  run({ service }, _args, reply) {
    reply.integer(Math.floor(service.persistence.lastSaveAtMs / 1000))
  },
}
