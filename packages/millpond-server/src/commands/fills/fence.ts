import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { putEach } from './put.ts'
import { endOf, newMark, tombstone } from './record.ts'

const common = {
  since: '0.1.0',
  group: 'string',
  complexity: 'O(N) for N keys',
  arity: -5,
  flags: ['write', 'fast'],
  keys: [{ first: 4, last: -1, access: 'OW', touches: ['update'] }],
} as const

/** Invalidates keys: what was loaded before can not be filled in any more. Not refused where memory is full: then it deletes. */
export const fillFence: Command = {
  ...common,
  name: 'fence',
  summary: 'Puts a tombstone with a new mark under each key for some milliseconds; returns the marks.',
  syntax: 'milliseconds held key [key ...]',
  run(client, args, reply) {
    const held = isHeld(args)
    markEach(client, args, reply, (mark) => [mark, tombstone(mark, held)])
  },
}

/** Gives tags new versions: everything that was stored under the ones before is void. */
export const fillBump: Command = {
  ...common,
  name: 'bump',
  summary: 'Gives each tag a new version for some milliseconds; returns the versions. A held one begins with !.',
  syntax: 'milliseconds held tag [tag ...]',
  run(client, args, reply) {
    const sign = isHeld(args) ? '!' : ''
    markEach(client, args, reply, (mark) => [sign + mark, sign + mark])
  },
}

function isHeld(args: Arguments): boolean {
  if (args.is(3, '0') || args.is(3, '1')) return args.is(3, '1')
  throw syntaxError()
}

/** Puts something new under each key, and answers what. @param make what is answered, and what is put, of a new mark */
function markEach(
  client: Client,
  args: Arguments,
  reply: Reply,
  make: (mark: string) => readonly [told: string, text: string],
): void {
  const keys = args.spans(4, args.count)
  const lifeMs = args.float(2)
  if (!(lifeMs >= 0)) throw syntaxError()
  const told: string[] = []
  putEach(client, keys, endOf(client.service.time.nowMs, lifeMs), () => {
    const [mark, text] = make(newMark())
    told.push(mark)
    return Buffer.from(text, 'latin1')
  })
  reply.array(told.length)
  for (const mark of told) reply.bulk(mark)
}
