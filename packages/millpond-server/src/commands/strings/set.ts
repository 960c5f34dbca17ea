import type { Arguments } from '../../engine/arguments.ts'
import { notInteger, ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'

interface SetOptions {
  nx: boolean
  xx: boolean
  get: boolean
  keepTtl: boolean
  expiresAtMs: number
}

/** Puts a string under a key. */
export const set: Command = {
  name: 'set',
  since: '1.0.0',
  group: 'string',
  summary: 'Sets the string value of a key, ignoring its type. The key is created if it does not exist.',
  complexity: 'O(1)',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['access', 'update'] }],
  syntax:
    'key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL]',
  run(client, args, reply) {
    const { db } = client
    const key = args.span(1)
    if (args.count > 3) {
      setWith(client, args, optionsOf(client, args), reply)
      return
    }
    db.setString(key, args.bytes, args.start(2), args.end(2))
    db.changed(key, 'set', '$')
    reply.ok()
  },
}

function setWith(client: Client, args: Arguments, options: SetOptions, reply: Parameters<Command['run']>[2]): void {
  const { db } = client
  const key = args.span(1)
  const old = options.get ? db.readString(key)?.copy() : undefined
  const present = options.nx || options.xx ? db.typeOf(key) !== undefined : true
  const done = options.nx ? !present : present
  if (done) {
    const expiresAtMs = options.keepTtl ? Math.max(db.expiresAtMs(key), 0) || Infinity : options.expiresAtMs
    db.setString(key, args.bytes, args.start(2), args.end(2), expiresAtMs)
    db.changed(key, 'set', '$')
    if (Number.isFinite(options.expiresAtMs)) {
      db.changed(key, 'expire', 'g')
      client.logAs('SET', key.copy(), args.span(2).copy(), 'PXAT', String(options.expiresAtMs))
    }
  }
  if (!options.get) {
    if (done) reply.ok()
    else reply.nil()
  } else if (old === undefined) reply.nil()
  else reply.bytes(old, 0, old.length)
}

function optionsOf({ service }: Client, args: Arguments): SetOptions {
  const options = { nx: false, xx: false, get: false, keepTtl: false, expiresAtMs: Infinity }
  for (let at = 3; at < args.count; at++) {
    const option = args.option(at)
    const dated = options.keepTtl || options.expiresAtMs !== Infinity
    if (option === 'NX' && !options.xx) options.nx = true
    else if (option === 'XX' && !options.nx) options.xx = true
    else if (option === 'GET') options.get = true
    else if (option === 'KEEPTTL' && !dated) options.keepTtl = true
    else if (['EX', 'PX', 'EXAT', 'PXAT'].includes(option) && !dated && at + 1 < args.count) {
      options.expiresAtMs = expiryOf(service.time.nowMs, option, args.int64(++at, notInteger))
    } else throw syntaxError()
  }
  return options
}

function expiryOf(nowMs: number, option: string, given: bigint): number {
  const ms = option.startsWith('E') ? given * 1000n : given
  const at = option.endsWith('AT') ? ms : ms + BigInt(nowMs)
  if (given <= 0n || at > 2n ** 63n - 1n) throw new ReplyError("invalid expire time in 'set' command")
  return Number(at)
}
