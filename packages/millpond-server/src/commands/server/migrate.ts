import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Moves keys to another server: refused, since a client can do it by DUMP and RESTORE. */
export const migrate: Command = {
  name: 'migrate',
  since: '2.6.0',
  group: 'generic',
  summary: 'Atomically transfers a key from one Redis instance to another.',
  complexity: 'O(N) for N bytes',
  arity: -6,
  flags: ['write'],
  categories: ['keyspace', 'dangerous'],
  keys: [{ first: 3, last: 3, access: 'RW', touches: ['access', 'delete'] }],
  keysOf,
  syntax: 'host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password] [KEYS key [key ...]]',
  refuses: 'keys are moved by DUMP here and RESTORE there',
  run(client, args, reply) {
    const { secrets, keys } = wordsOf(args)
    client.hide(...secrets)
    if (keys.some((place) => client.db.typeOf(args.span(place)) !== undefined)) {
      throw new ReplyError('millpond serve does not speak to other servers: use DUMP here and RESTORE there')
    }
    reply.simple('NOKEY')
  },
}

function keysOf(args: Arguments): number[] {
  return wordsOf(args).keys
}

/** Where the keys stand (the third word, or, where that is empty, all behind KEYS), and what nobody may see. */
function wordsOf(args: Arguments): { secrets: number[]; keys: number[] } {
  const secrets: number[] = []
  const keys = args.length(3) > 0 ? [3] : []
  for (let at = 6; at < args.count; at++) {
    if (args.is(at, 'auth')) secrets.push(++at)
    else if (args.option(at) === 'AUTH2') secrets.push(++at, ++at)
    else if (args.is(at, 'keys')) while (++at < args.count) keys.push(at)
  }
  return { secrets, keys }
}
