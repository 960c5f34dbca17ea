import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { compareIds, MIN_ID, parseId, type StreamId } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { Claiming, replyClaimed } from './claiming.ts'
import { groupOf, logPosition } from './groups.ts'
import { idOf } from './ids.ts'

/** Gives pending entries to a consumer, if they were delivered long enough ago. */
export const xclaim: Command = {
  name: 'xclaim',
  since: '5.0.0',
  group: 'stream',
  summary: 'Gives pending entries to a consumer, if they were delivered long enough ago.',
  complexity: 'O(log(N)) for each entry',
  arity: -6,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['update'] }],
  syntax:
    'key group consumer min-idle-time ID [ID ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]',
  run(client, args, reply) {
    const key = args.span(1)
    const found = groupOf(client, key, args.text(2))
    const { group } = found
    const { nowMs } = client.service.time
    const idleMs = Math.max(
      0,
      args.integer(4, () => invalid('min-idle-time argument')),
    )
    const ids = leadingIds(args)
    const options = optionsOf(args, 5 + ids.length, nowMs)
    const movesOn = compareIds(options.lastId, group.lastId) > 0
    if (movesOn) group.lastId = options.lastId
    const claiming = new Claiming({ client, key, ...found, consumer: args.text(3), idleMs, ...options })
    for (const id of ids) claiming.claim(id)
    if (movesOn && !claiming.hasLogged) {
      logPosition(client, key, group)
      client.db.noted(key)
    }
    replyClaimed(reply, claiming)
  },
}

interface ClaimOptions {
  atMs: number
  /** How often it is said to have been delivered; `undefined`: once more. */
  count: number | undefined
  force: boolean
  justIds: boolean
  lastId: StreamId
}

/** Ids stand before the options: the first word that is none is an option. */
function leadingIds(args: Arguments): StreamId[] {
  const ids: StreamId[] = []
  for (let at = 5; at < args.count; at++) {
    const id = parseId(args.text(at))
    if (id === undefined) break
    ids.push(id)
  }
  return ids
}

function optionsOf(args: Arguments, from: number, nowMs: number): ClaimOptions {
  const options = { atMs: nowMs, count: undefined as number | undefined, force: false, justIds: false, lastId: MIN_ID }
  for (let at = from; at < args.count; at++) {
    const more = at + 1 < args.count
    if (args.is(at, 'force')) options.force = true
    else if (args.is(at, 'justid')) options.justIds = true
    else if (args.is(at, 'idle') && more)
      options.atMs = nowMs - args.integer(++at, () => invalid('IDLE option argument'))
    else if (args.is(at, 'time') && more) options.atMs = args.integer(++at, () => invalid('TIME option argument'))
    else if (args.is(at, 'retrycount') && more) {
      const count = args.integer(++at, () => invalid('RETRYCOUNT option argument'))
      options.count = count < 0 ? undefined : count
    } else if (args.is(at, 'lastid') && more) options.lastId = idOf(args, ++at)
    else throw new ReplyError(`Unrecognized XCLAIM option '${args.text(at)}'`)
  }
  if (options.atMs < 0 || options.atMs > nowMs) options.atMs = nowMs
  return options
}

const invalid = (what: string): ReplyError => new ReplyError(`Invalid ${what} for XCLAIM`)
