/** FLUSHALL and FLUSHDB: everything goes. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import type { Service } from '../service.ts'

/** Removes all keys of all databases. */
export const flushall: Command = flush('flushall', 'Removes all keys from all databases.', ({ service }) => [
  ...service.databases,
])

/** Removes all keys of the selected database. */
export const flushdb: Command = flush('flushdb', 'Removes all keys from the current database.', ({ db }) => [db])

function flush(name: string, summary: string, which: (client: Client) => readonly Keyspace[]): Command {
  return {
    name,
    since: '1.0.0',
    group: 'server',
    summary,
    complexity: 'O(N) for N keys',
    arity: -1,
    flags: ['write'],
    categories: ['keyspace', 'dangerous'],
    syntax: '[ASYNC | SYNC]',
    run(client, args, reply) {
      checkMode(args)
      const all = which(client)
      for (const database of all) database.clear()
      if (all.length > 1) saveNothing(client.service)
      reply.ok()
    },
  }
}

/** Both words are accepted: emptying an arena is as quick either way. */
function checkMode(args: Arguments): void {
  if (args.count === 1 || (args.count === 2 && (args.is(1, 'sync') || args.is(1, 'async')))) return
  throw syntaxError()
}

/** Where snapshots are taken, what was there must not come back after a restart. A failure is told by INFO, as of any other save. */
function saveNothing({ configuration, persistence }: Service): void {
  if (configuration.text('save') === '' || persistence.saving) return
  try {
    persistence.save()
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
  }
}
