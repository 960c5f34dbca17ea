import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { isEvictionPolicy } from '../../engine/eviction.ts'
import { ACCESS_KEYS } from '../../security/access-keys.ts'
import { answerLater } from '../answer-later.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { boundOf, readOptions, secondsBoundOf, sizeBoundOf, sizeOf } from '../option-words.ts'
import { administered } from '../tokens/admin.ts'
import { describeCache } from './description.ts'
import type { CacheSettings } from './settings.ts'

const common = {
  since: '0.1.0',
  group: 'server',
  flags: ['admin', 'noscript', 'no_multi', 'stale'],
} as const

const SETTINGS =
  '[MAXMEMORY size] [POLICY policy] [DEFAULT-TTL seconds] [MAX-TTL seconds] [ITEM-SIZE size] [OPERATIONS per-second] ' +
  '[BYTES-IN per-second] [BYTES-OUT per-second] [CONNECTIONS count]'

const create: Command = {
  ...common,
  name: 'create',
  summary: 'Makes a cache. Its data is there again after a restart, if it is kept on disk.',
  complexity: 'O(1)',
  arity: -3,
  syntax: `name ${SETTINGS} [APPEND <NO | EVERYSEC | ALWAYS>]`,
  run(client, args) {
    const host = administered(client)
    const settings = settingsOf(args)
    answerLater(client, host.create(args.text(2), settings), (reply) => reply.ok())
  },
}

const update: Command = {
  ...common,
  name: 'update',
  summary: 'Changes what is given of a cache, at once.',
  complexity: 'O(N) for N clients of the cache',
  arity: -5,
  syntax: `name ${SETTINGS}`,
  run(client, args, reply) {
    administered(client).change(args.text(2), settingsOf(args))
    reply.ok()
  },
}

/** What is given is set; 0 is no bound. */
function settingsOf(args: Arguments): CacheSettings {
  const settings: { -readonly [Name in keyof CacheSettings]: CacheSettings[Name] } = {}
  readOptions(args, 3, {
    MAXMEMORY: (at) => void (settings.maxMemory = sizeOf(args, at)),
    POLICY: (at) => void (settings.policy = policyOf(args, at)),
    'DEFAULT-TTL': (at) => void (settings.defaultTtlMs = secondsBoundOf(args, at)),
    'MAX-TTL': (at) => void (settings.maxTtlMs = secondsBoundOf(args, at)),
    'ITEM-SIZE': (at) => void (settings.itemBytesMax = sizeBoundOf(args, at)),
    OPERATIONS: (at) => void (settings.operations = boundOf(args, at)),
    'BYTES-IN': (at) => void (settings.bytesIn = sizeBoundOf(args, at)),
    'BYTES-OUT': (at) => void (settings.bytesOut = sizeBoundOf(args, at)),
    CONNECTIONS: (at) => void (settings.connections = boundOf(args, at)),
    APPEND: (at) => void (settings.append = appendOf(args, at)),
  })
  return settings
}

function policyOf(args: Arguments, at: number): NonNullable<CacheSettings['policy']> {
  const policy = args.text(at).toLowerCase()
  if (isEvictionPolicy(policy)) return policy
  throw new ReplyError(`'${policy.slice(0, 64)}' is no policy; see maxmemory-policy`)
}

function appendOf(args: Arguments, at: number): NonNullable<CacheSettings['append']> {
  const word = args.text(at).toLowerCase()
  if (word === 'no' || word === 'everysec' || word === 'always') return word
  throw new ReplyError('APPEND must be NO, EVERYSEC or ALWAYS')
}

const remove: Command = {
  ...common,
  name: 'delete',
  summary:
    'Deletes a cache with all that it holds, its tokens and its access keys. Its clients are told at their next command.',
  complexity: 'O(N) for N clients of the cache',
  arity: 3,
  syntax: 'name',
  run(client, args) {
    const host = administered(client)
    const name = args.text(2)
    if (host.service(name) === client.service && client.service !== host.home) {
      throw new ReplyError(`you are in the cache '${name}'; say who you are in another one first`)
    }
    answerLater(client, host.delete(name), (reply) => reply.ok())
  },
}

const flush: Command = {
  ...common,
  name: 'flush',
  summary: 'Empties a cache.',
  complexity: 'O(1)',
  arity: 3,
  syntax: 'name',
  run(client, args, reply) {
    administered(client).flush(args.text(2))
    reply.ok()
  },
}

const list: Command = {
  ...common,
  name: 'list',
  summary: 'Returns the names of the caches.',
  complexity: 'O(N) for N caches',
  arity: 2,
  run(client, _args, reply) {
    const names = [...administered(client).services.keys()].sort()
    reply.array(names.length)
    for (const name of names) reply.bulk(name)
  },
}

const describe: Command = {
  ...common,
  name: 'describe',
  summary: 'Returns what a cache is, what it may, and what it holds.',
  complexity: 'O(1)',
  arity: 3,
  syntax: 'name',
  run(client, args, reply) {
    const description = Object.entries(describeCache(administered(client), args.text(2)))
    reply.map(description.length)
    for (const [part, value] of description) {
      reply.bulk(part)
      if (value === null) reply.nil()
      else if (typeof value === 'number') reply.integer(value)
      else reply.bulk(value)
    }
  },
}

const accesskey: Command = {
  ...common,
  name: 'accesskey',
  summary:
    'Makes one of the two access keys of a cache anew, and returns it: it is told this once. What the former one has opened is closed.',
  complexity: 'O(N) for N connections',
  arity: 4,
  syntax: 'name <PRIMARY | SECONDARY>',
  run(client, args, reply) {
    const host = administered(client)
    const key = ACCESS_KEYS.find((one) => args.is(3, one))
    if (key === undefined) throw new ReplyError('an access key is PRIMARY or SECONDARY')
    const { cache } = host.service(args.text(2))
    reply.bulk(host.entrance.accessKeys.regenerate(cache.name, key, host.home.time.read()))
  },
}

/** Caches by name. */
export const cacheContainer: Command = {
  name: 'cache',
  since: '0.1.0',
  group: 'server',
  summary: 'A container for commands about caches.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('cache', '0.1.0', [accesskey, create, describe, flush, list, remove, update]),
  run() {},
}
