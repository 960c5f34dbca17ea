import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { expiryOf, isExpiryOption } from './expiry-option.ts'
import { putExpiring } from './put.ts'

interface SetOptions {
  nx: boolean
  xx: boolean
  get: boolean
  keepTtl: boolean
  /** 'EX' and so on, and where its time stands. */
  expiry: string
  expiryAt: number
}

/** Puts a string under a key. */
export const set: Command = {
  name: 'set',
  since: '1.0.0',
  group: 'string',
  summary: 'Puts a string under a key, whatever it held before.',
  complexity: 'O(1)',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['access', 'update']),
  keysFor: (args) => {
    const reads = args.texts(3).some((word) => word.toLowerCase() === 'get')
    return reads ? oneKey('RW', ['access', 'update']) : oneKey('OW', ['update'])
  },
  syntax:
    'key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL]',
  run(client, args, reply) {
    if (args.count > 3) {
      setWith(client, args, optionsOf(args), reply)
      return
    }
    const { db } = client
    const key = args.span(1)
    db.setString(key, args.bytes, args.start(2), args.end(2))
    db.changed(key, 'set', '$')
    reply.ok()
  },
}

function setWith(client: Client, args: Arguments, options: SetOptions, reply: Reply): void {
  const { db, service } = client
  const { expiry, expiryAt } = options
  const key = args.span(1)
  const expiresAtMs = expiryAt > 0 ? expiryOf(service.time.nowMs, expiry, args, expiryAt, 'set') : Infinity
  const old = options.get ? db.readString(key)?.copy() : undefined
  const present = options.nx || options.xx ? db.typeOf(key) !== undefined : true
  const done = options.nx ? !present : present
  if (done && expiryAt > 0) putExpiring(client, args, 2, expiresAtMs)
  else if (done) {
    const kept = options.keepTtl ? db.expiresAtMs(key) : -1
    db.setString(key, args.bytes, args.start(2), args.end(2), kept < 0 ? Infinity : kept)
    db.changed(key, 'set', '$')
  }
  if (!options.get) {
    if (done) reply.ok()
    else reply.nil()
  } else if (old === undefined) reply.nil()
  else reply.bytes(old, 0, old.length)
}

function optionsOf(args: Arguments): SetOptions {
  const options = { nx: false, xx: false, get: false, keepTtl: false, expiry: '', expiryAt: 0 }
  for (let at = 3; at < args.count; at++) {
    const option = args.option(at)
    const dated = options.keepTtl || (options.expiryAt > 0 && options.expiry !== option)
    if (option === 'NX' && !options.xx) options.nx = true
    else if (option === 'XX' && !options.nx) options.xx = true
    else if (option === 'GET') options.get = true
    else if (option === 'KEEPTTL' && options.expiryAt === 0) options.keepTtl = true
    else if (isExpiryOption(option) && !dated && at + 1 < args.count) {
      options.expiry = option
      options.expiryAt = ++at
    } else throw syntaxError()
  }
  return options
}
