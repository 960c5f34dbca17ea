/** The part of DEBUG that helps to test clients and this server. */
import type { Arguments } from '../../engine/arguments.ts'
import { digestOf, digestOfValue } from '../../engine/digest.ts'
import { noSuchKey, ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { rewriteConfig } from '../configuration/config-container.ts'

type Run = (client: Client, args: Arguments, reply: Reply) => void

/** What each word does. Switches of Redis's insides that change nothing that can be seen are accepted. */
const WORDS: Readonly<Record<string, Run>> = {
  SLEEP: sleep,
  OBJECT: object,
  POPULATE: populate,
  PROTOCOL: protocol,
  ERROR: (_client, args, reply) => reply.error(args.text(2)),
  'SET-ACTIVE-EXPIRE': ({ service }, args, reply) => {
    service.cache.stop()
    if (args.integer(2) === 1) service.cache.start()
    reply.ok()
  },
  LOG: accept,
  RELOAD: ({ service }, args, reply) => {
    const options = args.texts(2).map((word) => word.toUpperCase())
    if (!options.every((option) => ['NOSAVE', 'NOFLUSH', 'MERGE'].includes(option))) {
      throw new ReplyError('DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.')
    }
    service.persistence.reload({ save: !options.includes('NOSAVE'), clear: !options.includes('NOFLUSH') })
    reply.ok()
  },
  LOADAOF: ({ service }, _args, reply) => {
    service.persistence.reloadLog()
    reply.ok()
  },
  DIGEST: ({ service }, _args, reply) => reply.simple(digestOf(service.databases)),
  'DIGEST-VALUE': ({ db }, args, reply) => {
    reply.array(args.count - 2)
    for (let at = 2; at < args.count; at++) reply.simple(digestOfValue(db.peek(args.span(at))).hex)
  },
  'CONFIG-REWRITE-FORCE-ALL': ({ service }, _args, reply) => {
    rewriteConfig(service, true)
    reply.ok()
  },
  'PAUSE-CRON': accept,
  JMAP: refuse,
  REPLYBUFFER: accept,
  'QUICKLIST-PACKED-THRESHOLD': accept,
  'SET-DISABLE-DENY-SCRIPTS': accept,
  'CHANGE-REPL-ID': accept,
  'STRINGMATCH-LEN': accept,
  HELP: (_client, _args, reply) => {
    const words = Object.keys(WORDS)
    reply.array(words.length + 1)
    reply.simple('DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:')
    for (const word of words) reply.simple(word)
  },
}

export const debug: Command = {
  name: 'debug',
  since: '1.0.0',
  group: 'server',
  summary: 'A container for debugging commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  syntax: 'subcommand [arg [arg ...]]',
  run(client, args, reply) {
    if (!client.isAllowedBy('enable-debug-command')) {
      throw new ReplyError(
        'DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.',
      )
    }
    const run = WORDS[args.option(1)]
    if (run === undefined) {
      throw new ReplyError(`unknown subcommand or wrong number of arguments for '${args.text(1)}'. Try DEBUG HELP.`)
    }
    run(client, args, reply)
  },
}

function accept(_client: Client, _args: Arguments, reply: Reply): void {
  reply.ok()
}

function refuse(_client: Client, args: Arguments): void {
  throw new ReplyError(`DEBUG ${args.text(1)} looks into memory that this server does not have`)
}

/** Stops the whole server for so many seconds, as a long command would. */
function sleep({ service }: Client, args: Arguments, reply: Reply): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, args.float(2) * 1000)
  service.time.tick()
  reply.ok()
}

function object({ db }: Client, args: Arguments, reply: Reply): void {
  const key = args.span(2)
  if (db.typeOf(key) === undefined) throw noSuchKey()
  const collection = db.collection(key)
  const encoding = collection?.encoding ?? 'raw'
  const bytes = collection ? collection.weight : db.editString(key)!.length
  reply.simple(`Value at:0x0 refcount:1 encoding:${encoding} serializedlength:${bytes} lru:0 lru_seconds_idle:0`)
}

/** DEBUG POPULATE count [prefix] [size]: keys with values of so many bytes. */
function populate({ db }: Client, args: Arguments, reply: Reply): void {
  const count = args.integer(2)
  const prefix = args.count > 3 ? args.text(3) : 'key'
  const size = args.count > 4 ? args.integer(4) : 0
  for (let at = 0; at < count; at++) {
    const key = Span.of(`${prefix}:${at}`)
    if (db.typeOf(key) !== undefined) continue
    const text = `value:${at}`
    const value = Buffer.alloc(size === 0 ? text.length : size)
    value.write(text, 'latin1')
    db.setString(key, value, 0, value.length)
    db.changed(key, 'set', '$')
  }
  reply.ok()
}

/** DEBUG PROTOCOL type: an answer of each type. */
function protocol(_client: Client, args: Arguments, reply: Reply): void {
  const answer = ANSWERS[args.option(2)]
  if (answer === undefined) throw syntaxError()
  answer(reply)
}

const ANSWERS: Readonly<Record<string, (reply: Reply) => void>> = {
  STRING: (reply) => reply.bulk('Hello World'),
  INTEGER: (reply) => reply.integer(12345),
  DOUBLE: (reply) => reply.double(3.25),
  NULL: (reply) => reply.nil(),
  ARRAY: (reply) => three(reply, 'array'),
  SET: (reply) => three(reply, 'set'),
  MAP: (reply) => {
    reply.map(3)
    for (let at = 0; at < 3; at++) {
      reply.integer(at)
      reply.boolean(at === 1)
    }
  },
  BIGNUM: (reply) => reply.bigNumber('1234567999999999999999999999999999999'),
  TRUE: (reply) => reply.boolean(true),
  FALSE: (reply) => reply.boolean(false),
  VERBATIM: (reply) => reply.verbatim('txt', 'This is a verbatim\nstring'),
}

function three(reply: Reply, kind: 'array' | 'set'): void {
  reply[kind](3)
  for (let at = 0; at < 3; at++) reply.integer(at)
}
