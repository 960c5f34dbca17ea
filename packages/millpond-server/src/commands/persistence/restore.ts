import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { restorePayload } from '../../engine/rdb/payload.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'

interface RestoreOptions {
  replace: boolean
  absolute: boolean
  use: { idleMs: number } | { frequency: number } | undefined
}

/** Puts what DUMP returned under a key. */
export const restore: Command = {
  name: 'restore',
  since: '2.6.0',
  group: 'generic',
  summary: 'Creates a key from the serialized representation of a value.',
  complexity: 'O(1) to make the key, and O(N*M) to read N elements of M bytes; O(N*M*log(N)) for sorted sets',
  arity: -4,
  flags: ['write', 'denyoom'],
  categories: ['dangerous'],
  keys: [{ first: 1, last: 1, access: 'OW', touches: ['update'] }],
  syntax: 'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
  run: (client, args, reply) => {
    const { db, service } = client
    const options = optionsOf(args)
    const key = args.span(1)
    if (!options.replace && db.typeOf(key) !== undefined) {
      throw new ReplyError('Target key name already exists.', 'BUSYKEY')
    }
    const ttl = args.integer(2)
    if (ttl < 0) throw new ReplyError('Invalid TTL value, must be >= 0')
    const value = restorePayload(args.span(3).copy(), db.limits)
    const deleted = options.replace && db.delete(key)
    const expiresAtMs = ttl === 0 ? Number.POSITIVE_INFINITY : options.absolute ? ttl : service.time.nowMs + ttl
    if (expiresAtMs <= service.time.nowMs) {
      if (deleted) {
        client.logAs('DEL', key.copy())
        db.changed(key, 'del', 'g')
      }
      reply.ok()
      return
    }
    if (value instanceof Uint8Array) db.setString(key, value, 0, value.length, expiresAtMs)
    else db.put(key, value, expiresAtMs)
    if (options.use) db.setUse(key, options.use)
    db.changed(key, 'restore', 'g')
    logAbsolute(client, args, expiresAtMs)
    reply.ok()
  },
}

/** The log is told when the key expires, not after how long. */
function logAbsolute(client: Client, args: Arguments, expiresAtMs: number): void {
  if (expiresAtMs === Number.POSITIVE_INFINITY) return
  client.logAs('RESTORE', args.span(1).copy(), String(expiresAtMs), args.span(3).copy(), 'REPLACE', 'ABSTTL')
}

function optionsOf(args: Arguments): RestoreOptions {
  const options: RestoreOptions = { replace: false, absolute: false, use: undefined }
  for (let at = 4; at < args.count; at++) {
    const more = at + 1 < args.count
    if (args.is(at, 'replace')) options.replace = true
    else if (args.is(at, 'absttl')) options.absolute = true
    else if (args.is(at, 'idletime') && more && options.use === undefined) {
      const seconds = args.integer(++at)
      if (seconds < 0) throw new ReplyError('Invalid IDLETIME value, must be >= 0')
      options.use = { idleMs: seconds * 1000 }
    } else if (args.is(at, 'freq') && more && options.use === undefined) {
      const frequency = args.integer(++at)
      if (frequency < 0 || frequency > 255) throw new ReplyError('Invalid FREQ value, must be >= 0 and <= 255')
      options.use = { frequency }
    } else throw syntaxError()
  }
  return options
}
