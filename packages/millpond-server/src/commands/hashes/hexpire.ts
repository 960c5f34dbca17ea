import type { Arguments } from '../../engine/arguments.ts'
import { invalidExpiry, ReplyError } from '../../engine/errors.ts'
import type { Hash } from '../../engine/values/hash.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { fieldsFrom } from './field-words.ts'
import { editHash } from './live-hash.ts'

/** Later moments are refused, as in Redis. */
const MOMENT_MAX = 2n ** 46n
const CONDITIONS = ['NX', 'XX', 'GT', 'LT']

/** Answers for one field. */
const NO_SUCH_FIELD = -2
const NOT_MET = 0
const EXPIRES = 1
const GONE = 2

interface Form {
  readonly name: string
  readonly word: string
  readonly summary: string
  readonly unitMs: bigint
  /** Whether the number is a span from now on, not a moment. */
  readonly relative: boolean
}

function commandFor(form: Form): Command {
  return {
    name: form.name,
    since: '7.4.0',
    group: 'hash',
    summary: form.summary,
    complexity: 'O(N) for N fields',
    arity: -6,
    flags: ['write', 'denyoom', 'fast'],
    keys: oneKey('RW', ['update']),
    syntax: `key ${form.word} [NX | XX | GT | LT] FIELDS numfields field [field ...]`,
    run(client, args, reply) {
      const moment = momentOf(client, args, form)
      const conditioned = CONDITIONS.includes(args.option(3))
      const fields = fieldsFrom(args, conditioned ? 4 : 3)
      const hash = editHash(client, args.span(1))
      const condition = conditioned ? args.option(3) : ''
      const answers = fields.map((field) => expire(client, hash, field, moment, condition))
      if (hash) client.db.fieldsExpire(args.span(1), hash)
      tell(client, args, moment, fields, answers)
      reply.array(answers.length)
      for (const answer of answers) reply.integer(answer)
    },
  }
}

/** Lets fields expire. */
export const hexpire: Command = commandFor({
  name: 'hexpire',
  word: 'seconds',
  summary: 'Lets fields of a hash expire after some seconds.',
  unitMs: 1000n,
  relative: true,
})
export const hpexpire: Command = commandFor({
  name: 'hpexpire',
  word: 'milliseconds',
  summary: 'Lets fields of a hash expire after some milliseconds.',
  unitMs: 1n,
  relative: true,
})
export const hexpireat: Command = commandFor({
  name: 'hexpireat',
  word: 'unix-time-seconds',
  summary: 'Lets fields of a hash expire at a moment in seconds.',
  unitMs: 1000n,
  relative: false,
})
export const hpexpireat: Command = commandFor({
  name: 'hpexpireat',
  word: 'unix-time-milliseconds',
  summary: 'Lets fields of a hash expire at a moment in milliseconds.',
  unitMs: 1n,
  relative: false,
})

function momentOf(client: Client, args: Arguments, { name, unitMs, relative }: Form): number {
  const given = args.int64(2)
  if (given < 0n) throw new ReplyError('invalid expire time, must be >= 0')
  const moment = given * unitMs + (relative ? BigInt(client.service.time.nowMs) : 0n)
  if (moment > MOMENT_MAX) throw invalidExpiry(name)
  return Number(moment)
}

function expire(client: Client, hash: Hash | undefined, field: string, moment: number, condition: string): number {
  if (hash === undefined || !hash.has(field)) return NO_SUCH_FIELD
  if (!allows(condition, hash.expiresAtMs(field), moment)) return NOT_MET
  if (moment <= client.service.time.nowMs) {
    hash.delete(field)
    return GONE
  }
  hash.setExpiry(field, moment)
  return EXPIRES
}

/** A field that lives for ever has the latest moment of all. */
function allows(condition: string, present: number, moment: number): boolean {
  if (condition === 'NX') return present === Infinity
  if (condition === 'XX') return present !== Infinity
  if (condition === 'GT') return moment > present
  if (condition === 'LT') return moment < present
  return true
}

function tell(
  client: Client,
  args: Arguments,
  moment: number,
  fields: readonly string[],
  answers: readonly number[],
): void {
  const key = args.span(1)
  const expiring = fields.filter((_, at) => answers[at] === EXPIRES)
  const gone = fields.filter((_, at) => answers[at] === GONE)
  if (expiring.length > 0) {
    const words = ['HPEXPIREAT', key.copy(), String(moment), 'FIELDS', String(expiring.length), ...expiring]
    client.service.logs.replace(client, words)
    client.db.changed(key, 'hexpire', 'h')
  }
  if (gone.length > 0) {
    client.service.logs.replace(client, ['HDEL', key.copy(), ...gone])
    client.db.changed(key, 'hdel', 'h')
  }
}
