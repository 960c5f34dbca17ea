import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Grant } from '../../security/token.ts'
import type { TokenRequest } from '../../security/tokens.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { boundOf, readOptions, secondsBoundOf } from '../option-words.ts'
import { administered } from './admin.ts'

const common = {
  since: '0.1.0',
  group: 'server',
  flags: ['admin', 'noscript', 'no_multi', 'loading', 'stale'],
} as const

const create: Command = {
  ...common,
  name: 'create',
  summary: 'Makes a token, and returns it: it is told this once.',
  complexity: 'O(N) for N scopes',
  arity: -3,
  syntax:
    'name [CACHE <cache | *>] [SCOPE scope [SCOPE scope ...]] [ADMIN] [EX seconds] [DISPOSABLE] [OPERATIONS per-second] [ENDPOINT host:port]',
  run(client, args, reply) {
    const host = administered(client)
    const request = requestOf(args)
    const { cache = 'default' } = request
    if (cache !== '*' && !request.admin) host.service(cache)
    const { secret, grant } = host.entrance.tokens.create(request, host.home.time.read())
    reply.map(GRANT_PARTS + 1)
    reply.bulk('token')
    reply.bulk(secret)
    writeGrant(reply, grant)
  },
}

function requestOf(args: Arguments): TokenRequest {
  const request: { -readonly [Name in keyof TokenRequest]: TokenRequest[Name] } = { name: args.text(2) }
  const scopes: string[] = []
  readOptions(
    args,
    3,
    {
      CACHE: (at) => void (request.cache = args.text(at)),
      SCOPE: (at) => void scopes.push(args.text(at)),
      EX: (at) => void (request.ttlMs = secondsBoundOf(args, at)),
      OPERATIONS: (at) => void (request.operations = boundOf(args, at)),
      ENDPOINT: (at) => void (request.endpoint = args.text(at)),
    },
    {
      ADMIN: () => void (request.admin = true),
      DISPOSABLE: () => void (request.disposable = true),
    },
  )
  return scopes.length === 0 ? request : { ...request, scopes }
}

const GRANT_PARTS = 8

function writeGrant(reply: Reply, grant: Grant): void {
  const { id, name, cache, scopes, admin, operations, createdAtMs, expiresAtMs } = grant
  for (const [part, text] of Object.entries({ id, name, cache })) {
    reply.bulk(part)
    reply.bulk(text)
  }
  reply.bulk('scopes')
  reply.array(scopes.length)
  for (const scope of scopes) reply.bulk(scope)
  reply.bulk('admin')
  reply.boolean(admin)
  writeNumber(reply, 'operations', operations)
  writeNumber(reply, 'created_at_ms', createdAtMs)
  writeNumber(reply, 'expires_at_ms', expiresAtMs)
}

/** A part of a map; what has no bound is told as none. */
function writeNumber(reply: Reply, part: string, value: number): void {
  reply.bulk(part)
  if (Number.isFinite(value)) reply.integer(value)
  else reply.nil()
}

const list: Command = {
  ...common,
  name: 'list',
  summary:
    'Returns the tokens that are not disposable: what each may do, and when it was used last; never the token itself.',
  complexity: 'O(N) for N tokens',
  arity: 2,
  run(client, _args, reply) {
    const { entrance, home } = administered(client)
    const records = entrance.tokens.list(home.time.read())
    reply.array(records.length)
    for (const record of records) {
      reply.map(GRANT_PARTS + 1)
      writeGrant(reply, record)
      writeNumber(reply, 'last_used_at_ms', record.lastUsedAtMs || Infinity)
    }
  },
}

const revoke: Command = {
  ...common,
  name: 'revoke',
  summary: 'Ends a token and the connections that it has opened, at once. A disposable one is named by its id.',
  complexity: 'O(N) for N connections',
  arity: 3,
  syntax: 'name-or-id',
  run(client, args, reply) {
    const { entrance, home } = administered(client)
    entrance.tokens.revoke(args.text(2), home.time.read())
    reply.ok()
  },
}

const rotate: Command = {
  ...common,
  name: 'rotate',
  summary:
    'Signs new tokens with a new key. Those of the key before it go on until the next rotation, or RETIRE. Returns how many keys are known.',
  complexity: 'O(N) for N connections',
  arity: 2,
  run(client, _args, reply) {
    const { entrance, home } = administered(client)
    reply.integer(entrance.rotate(home.time.read()))
  },
}

const retire: Command = {
  ...common,
  name: 'retire',
  summary: 'Forgets the older of two signing keys: its tokens, and the connections that they have opened, end at once.',
  complexity: 'O(N) for N connections',
  arity: 2,
  run(client, _args, reply) {
    if (!administered(client).entrance.retire()) throw new ReplyError('there is one signing key; ROTATE first')
    reply.ok()
  },
}

/** Tokens: what opens a cache. */
export const tokenContainer: Command = {
  name: 'token',
  since: '0.1.0',
  group: 'server',
  summary: 'A container for commands about tokens.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('token', '0.1.0', [create, list, retire, revoke, rotate]),
  run() {},
}
