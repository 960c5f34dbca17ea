/** Commands of ACL that answer questions: who am I, what is in a category, what would be refused, what was. */
import { randomBytes } from 'node:crypto'
import { Arguments } from '../../engine/arguments.ts'
import { notInteger, ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Command } from '../command.ts'
import { misused } from '../help.ts'
import type { AclLogEntry } from './acl-log.ts'
import { CATEGORIES, categoriesOf } from './categories.ts'

const common = { since: '6.0.0', group: 'server', flags: ['noscript', 'loading', 'stale'] } as const
const PASSWORD_BITS = 256
const PASSWORD_BITS_MAX = 4096

const whoami: Command = {
  ...common,
  name: 'whoami',
  summary: 'Returns the authenticated username of the current connection.',
  complexity: 'O(1)',
  arity: 2,
  run({ user }, _args, reply) {
    reply.bulk(user.name)
  },
}

const cat: Command = {
  ...common,
  name: 'cat',
  summary: 'Lists the ACL categories, or the commands inside a category.',
  complexity: 'O(1) since the categories and commands are a fixed set.',
  arity: -2,
  syntax: '[category]',
  run({ service }, args, reply) {
    if (args.count > 3) throw misused(args)
    if (args.count === 2) {
      reply.array(CATEGORIES.length)
      for (const name of CATEGORIES) reply.bulk(name)
      return
    }
    const category = CATEGORIES.find((name) => name === args.text(2).toLowerCase())
    if (category === undefined) throw new ReplyError(`Unknown category '${args.text(2).slice(0, 128)}'`)
    const entries = service.commands.entries.filter((entry) => categoriesOf(entry).has(category))
    reply.array(entries.length)
    for (const { fullName } of entries) reply.bulk(fullName)
  },
}

const genpass: Command = {
  ...common,
  name: 'genpass',
  summary: 'Generates a pseudorandom, secure password that can be used to identify ACL users.',
  complexity: 'O(1)',
  arity: -2,
  syntax: '[bits]',
  run(_client, args, reply) {
    if (args.count > 3) throw misused(args)
    const bits = args.count === 3 ? args.integer(2, notInteger) : PASSWORD_BITS
    if (bits <= 0 || bits > PASSWORD_BITS_MAX) {
      throw new ReplyError(
        `ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${PASSWORD_BITS_MAX}`,
      )
    }
    const digits = Math.ceil(bits / 4)
    reply.bulk(
      randomBytes(Math.ceil(digits / 2))
        .toString('hex')
        .slice(0, digits),
    )
  },
}

const dryrun: Command = {
  ...common,
  name: 'dryrun',
  since: '7.0.0',
  summary: 'Simulates the execution of a command by a user, without executing the command.',
  complexity: 'O(1).',
  arity: -4,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  syntax: 'username command [arg [arg ...]]',
  run({ service }, args, reply) {
    const user = service.accessControl.user(args.text(2))
    if (user === undefined) throw new ReplyError(`User '${args.text(2)}' not found`)
    const words = Arguments.of(args.texts(3))
    const entry = service.commands.find(words)
    if (entry === undefined) throw new ReplyError(`Command '${args.text(3)}' not found`)
    const { arity, fullName } = entry
    if (arity > 0 ? words.count !== arity : words.count < -arity) {
      throw new ReplyError(`wrong number of arguments for '${fullName}' command`)
    }
    const denial = user.denial(entry, words)
    if (denial === undefined) reply.ok()
    else if (denial.reason === 'command') {
      reply.bulk(`This user has no permissions to run the '${fullName}' command`)
    } else reply.bulk(`This user has no permissions to access the '${words.text(denial.place)}' ${denial.reason}`)
  },
}

/** How many entries ACL LOG shows. */
const SHOWN = 10

const log: Command = {
  ...common,
  name: 'log',
  summary: 'Lists recent security events generated due to ACL rules.',
  complexity: 'O(N) with N being the number of entries shown.',
  arity: -2,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  syntax: '[count | RESET]',
  run({ service }, args, reply) {
    if (args.count > 3) throw misused(args)
    const { log: own } = service.accessControl
    if (args.count === 3 && args.is(2, 'reset')) {
      own.entries = []
      reply.ok()
      return
    }
    const count = args.count === 3 ? Math.max(0, args.integer(2, notInteger)) : SHOWN
    const shown = own.entries.slice(0, count)
    reply.array(shown.length)
    for (const entry of shown) tell(entry, service.time.nowMs, reply)
  },
}

function tell(entry: AclLogEntry, nowMs: number, reply: Reply): void {
  reply.map(7)
  reply.bulk('count')
  reply.integer(entry.count)
  for (const name of ['reason', 'context', 'object', 'username'] as const) {
    reply.bulk(name)
    reply.bulk(entry[name])
  }
  reply.bulk('age-seconds')
  reply.double((nowMs - entry.atMs) / 1000)
  reply.bulk('client-info')
  reply.bulk(entry.clientInfo)
}

export const aclQuestions: readonly Command[] = [cat, dryrun, genpass, log, whoami]
