import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

const NO_SUCH_KEY = -2
const FOR_EVER = -1

function commandFor(name: string, since: string, summary: string, unitMs: number, relative: boolean): Command {
  return {
    name,
    since,
    group: 'generic',
    summary,
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    keys: oneKey('RO', ['access']),
    syntax: 'key',
    run({ db, service }, args, reply) {
      const expiresAtMs = db.expiresAtMs(args.span(1))
      if (expiresAtMs === -1) reply.integer(NO_SUCH_KEY)
      else if (expiresAtMs === Infinity) reply.integer(FOR_EVER)
      else reply.integer(Math.round((expiresAtMs - (relative ? service.time.nowMs : 0)) / unitMs))
    },
  }
}

/** How long keys still live, and until when. */
export const ttlCommands: readonly Command[] = [
  commandFor('ttl', '1.0.0', 'Returns in how many seconds a key expires; -1: never, -2: there is none.', 1000, true),
  commandFor('pttl', '2.6.0', 'Returns in how many milliseconds a key expires; -1: never, -2: there is none.', 1, true),
  commandFor('expiretime', '7.0.0', 'Returns the moment at which a key expires, in seconds.', 1000, false),
  commandFor('pexpiretime', '7.0.0', 'Returns the moment at which a key expires, in milliseconds.', 1, false),
]
