import type { Arguments } from '../../engine/arguments.ts'
import { invalidExpiry, ReplyError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { expireKey } from '../key-changes.ts'
import { oneKey } from '../key-specs.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

interface Form {
  readonly name: string
  readonly since: string
  readonly word: string
  readonly summary: string
  readonly unitMs: bigint
  /** Whether the number is a span from now on, not a moment. */
  readonly relative: boolean
}

/** What must be so of the present expiry. */
interface Conditions {
  nx: boolean
  xx: boolean
  gt: boolean
  lt: boolean
}

function commandFor(form: Form): Command {
  return {
    name: form.name,
    since: form.since,
    group: 'generic',
    summary: form.summary,
    complexity: 'O(1)',
    arity: -3,
    flags: ['write', 'fast'],
    keys: oneKey('RW', ['update']),
    syntax: `key ${form.word} [NX | XX | GT | LT]`,
    run(client, args, reply) {
      const conditions = conditionsOf(args)
      const moment = momentOf(client, args, form)
      const present = client.db.expiresAtMs(args.span(1))
      const done = present !== -1 && (args.count === 3 || allows(conditions, present, moment))
      if (done) expireKey(client, args.span(1), moment)
      reply.integer(done ? 1 : 0)
    },
  }
}

/** Lets a key expire. */
export const expireCommands: readonly Command[] = [
  commandFor({
    name: 'expire',
    since: '1.0.0',
    word: 'seconds',
    summary: 'Lets a key expire after some seconds.',
    unitMs: 1000n,
    relative: true,
  }),
  commandFor({
    name: 'pexpire',
    since: '2.6.0',
    word: 'milliseconds',
    summary: 'Lets a key expire after some milliseconds.',
    unitMs: 1n,
    relative: true,
  }),
  commandFor({
    name: 'expireat',
    since: '1.2.0',
    word: 'unix-time-seconds',
    summary: 'Lets a key expire at a moment in seconds.',
    unitMs: 1000n,
    relative: false,
  }),
  commandFor({
    name: 'pexpireat',
    since: '2.6.0',
    word: 'unix-time-milliseconds',
    summary: 'Lets a key expire at a moment in milliseconds.',
    unitMs: 1n,
    relative: false,
  }),
]

function momentOf(client: Client, args: Arguments, { name, unitMs, relative }: Form): number {
  const given = args.int64(2) * unitMs
  const moment = given + (relative ? BigInt(client.service.time.nowMs) : 0n)
  if (given > INT64_MAX || given < INT64_MIN || moment > INT64_MAX) throw invalidExpiry(name)
  return Number(moment)
}

/** A key that lives for ever has the latest moment of all. */
function allows({ nx, xx, gt, lt }: Conditions, present: number, moment: number): boolean {
  if (nx && present !== Infinity) return false
  if (xx && present === Infinity) return false
  if (gt && moment <= present) return false
  return !(lt && moment >= present)
}

function conditionsOf(args: Arguments): Conditions {
  const conditions = { nx: false, xx: false, gt: false, lt: false }
  for (let at = 3; at < args.count; at++) {
    const option = args.text(at).toLowerCase()
    if (!Object.hasOwn(conditions, option)) throw new ReplyError(`Unsupported option ${args.text(at)}`)
    conditions[option as keyof Conditions] = true
  }
  const { nx, xx, gt, lt } = conditions
  if (nx && (xx || gt || lt)) {
    throw new ReplyError('NX and XX, GT or LT options at the same time are not compatible')
  }
  if (gt && lt) throw new ReplyError('GT and LT options at the same time are not compatible')
  return conditions
}
