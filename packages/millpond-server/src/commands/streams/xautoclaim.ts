import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { formatId, MIN_ID, type StreamId } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { countOf } from '../counts.ts'
import { Claiming, replyClaimed } from './claiming.ts'
import { groupOf } from './groups.ts'
import { startOf } from './ids.ts'

/** Gives pending entries that were delivered long enough ago to a consumer, from an id on. */
export const xautoclaim: Command = {
  name: 'xautoclaim',
  since: '6.2.0',
  group: 'stream',
  summary: 'Gives pending entries that were delivered long enough ago to a consumer, from an id on.',
  complexity: 'O(N) for N entries looked at',
  arity: -6,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key group consumer min-idle-time start [COUNT count] [JUSTID]',
  run(client, args, reply) {
    const key = args.span(1)
    const idleMs = Math.max(
      0,
      args.integer(4, () => invalidIdle()),
    )
    const start = startOf(args, 5)
    const { count, justIds } = optionsOf(args)
    const found = groupOf(client, key, args.text(2))
    const atMs = client.service.time.nowMs
    const options = { count: undefined, force: false, justIds, atMs }
    const claiming = new Claiming({ client, key, ...found, consumer: args.text(3), idleMs, ...options })
    const candidates: StreamId[] = []
    let next = MIN_ID
    for (const [id] of found.group.pending.entries(start)) {
      candidates.push(id)
      if (candidates.length > count * TRIES) break
    }
    for (const [at, id] of candidates.entries()) {
      if (at === count * TRIES || claiming.entries.length + claiming.gone.length === count) {
        next = id
        break
      }
      claiming.claim(id)
    }
    reply.array(3)
    reply.bulk(formatId(next))
    replyClaimed(reply, claiming)
    reply.array(claiming.gone.length)
    for (const id of claiming.gone) reply.bulk(formatId(id))
  },
}

/** So many times what is wanted is looked at, at most. */
const TRIES = 10
/** More would not fit into 64 bits in Redis. */
const COUNT_MAX = 2 ** 59

function optionsOf(args: Arguments): { readonly count: number; readonly justIds: boolean } {
  let count = 100
  let justIds = false
  for (let at = 6; at < args.count; at++) {
    if (args.is(at, 'count') && at + 1 < args.count) {
      count = countOf(args, ++at, 'COUNT must be > 0', 1)
      if (count >= COUNT_MAX) throw new ReplyError('COUNT must be > 0')
    } else if (args.is(at, 'justid')) justIds = true
    else throw syntaxError()
  }
  return { count, justIds }
}

const invalidIdle = (): ReplyError => new ReplyError('Invalid min-idle-time argument for XAUTOCLAIM')
