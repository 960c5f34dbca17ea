import { parseInt64 } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { countsUses } from '../../engine/eviction.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import { STRING_FORM, type StringForm } from '../../engine/value.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { oneKey } from '../key-specs.ts'

/** Strings up to this length lie, in Redis, in one piece with their head. */
const EMBEDDED_MAX = 44
/** Numbers below this are one object in Redis, however many keys hold them. */
const SHARED_MAX = 10_000
const SHARED_REFERENCES = 2 ** 31 - 1

function subcommand(name: string, since: string, summary: string, run: Answer): Command {
  return {
    name,
    since,
    group: 'generic',
    summary,
    complexity: 'O(1)',
    arity: 3,
    flags: ['readonly'],
    keys: oneKey('RO', [], 2),
    syntax: 'key',
    run(client, args, reply) {
      const key = args.span(2)
      if (client.db.typeOf(key) === undefined) reply.nil()
      else run(client, key, reply)
    },
  }
}

type Answer = (client: Client, key: Span, reply: Reply) => void

/** What is known of a key beside what it holds. */
export const object: Command = {
  name: 'object',
  since: '2.2.3',
  group: 'generic',
  summary: 'Tells how a key holds what it holds, and how it was used.',
  arity: -2,
  flags: [],
  subcommands: withHelp('object', '6.2.0', [
    subcommand('encoding', '2.2.3', 'Returns the form in which Redis would hold the value of a key.', encoding),
    subcommand('freq', '4.0.0', 'Returns how often a key was used of late, where the policy counts that.', freq),
    subcommand(
      'idletime',
      '2.2.3',
      'Returns how many seconds ago a key was last used, unless the policy counts.',
      idle,
    ),
    subcommand('refcount', '2.2.3', 'Returns how many keys share a value, in Redis.', refcount),
  ]),
  run() {
    throw new ReplyError("wrong number of arguments for 'object' command")
  },
}

function encoding({ db }: Client, key: Span, reply: Reply): void {
  const held = db.peek(key)!
  reply.bulk(held.value?.encoding ?? stringEncoding(held.bytes!, held.form!))
}

function stringEncoding(bytes: Uint8Array, form: StringForm): 'int' | 'embstr' | 'raw' {
  if (form === STRING_FORM.RAW) return 'raw'
  if (form === STRING_FORM.NATURAL && numberOf(bytes) !== undefined) return 'int'
  return bytes.length <= EMBEDDED_MAX ? 'embstr' : 'raw'
}

function freq({ db }: Client, key: Span, reply: Reply): void {
  if (!countsUses(db.cache.policy)) {
    throw new ReplyError(
      'An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
    )
  }
  reply.integer(db.frequency(key))
}

function idle({ db }: Client, key: Span, reply: Reply): void {
  if (countsUses(db.cache.policy)) {
    throw new ReplyError(
      'An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
    )
  }
  reply.integer(Math.floor(db.idleMs(key) / 1000))
}

function refcount({ db }: Client, key: Span, reply: Reply): void {
  const { bytes, form } = db.peek(key)!
  const number = bytes && form === STRING_FORM.NATURAL ? numberOf(bytes) : undefined
  const { cache } = db
  // There each key must know its own use, so that none can share a value.
  const alone = cache.maxMemory > 0 && /-l[rf]u$/.test(cache.policy)
  const shared = !alone && number !== undefined && number >= 0 && number < SHARED_MAX
  reply.integer(shared ? SHARED_REFERENCES : 1)
}

function numberOf(bytes: Uint8Array): bigint | undefined {
  return bytes.length <= 20 ? parseInt64(Buffer.from(bytes).toString('latin1')) : undefined
}
