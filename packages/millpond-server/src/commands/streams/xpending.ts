import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { ConsumerGroup } from '../../engine/values/stream-group.ts'
import { compareIds, formatId, type StreamId } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { groupOf } from './groups.ts'
import { endOf, startOf } from './ids.ts'

/** Tells what was delivered and is not acknowledged: how much for each consumer, or entry by entry. */
export const xpending: Command = {
  name: 'xpending',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells what was delivered and is not acknowledged: how much for each consumer, or entry by entry.',
  complexity: 'O(log(N)+M) for M entries told',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key group [[IDLE min-idle-time] start end count [consumer]]',
  run(client, args, reply) {
    if (args.count !== 3 && (args.count < 6 || args.count > 9)) throw syntaxError()
    const query = args.count === 3 ? undefined : queryOf(args)
    const { group } = groupOf(client, args.span(1), args.text(2))
    if (query) replyPending(group, query, client.service.time.nowMs, reply)
    else replySummary(group, reply)
  },
}

interface PendingQuery {
  readonly start: StreamId
  readonly end: StreamId
  readonly count: number
  /** Only what was delivered so long ago, in milliseconds. */
  readonly idleMs: number
  readonly consumer: string | undefined
}

function queryOf(args: Arguments): PendingQuery {
  const hasIdle = args.is(3, 'idle')
  const idleMs = hasIdle ? args.integer(4) : 0
  if (hasIdle && args.count < 8) throw syntaxError()
  const at = hasIdle ? 5 : 3
  const count = args.integer(at + 2)
  const start = startOf(args, at)
  const end = endOf(args, at + 1)
  return { start, end, count, idleMs, consumer: at + 3 < args.count ? args.text(at + 3) : undefined }
}

function replySummary({ pending, consumers }: ConsumerGroup, reply: Reply): void {
  reply.array(4)
  reply.integer(pending.size)
  if (pending.size === 0) {
    reply.nil()
    reply.nil()
    reply.nilArray()
    return
  }
  reply.bulk(formatId(pending.firstId()))
  reply.bulk(formatId(pending.lastId()))
  const busy = consumers.filter((consumer) => consumer.pending.size > 0)
  reply.array(busy.length)
  for (const consumer of busy) {
    reply.array(2)
    reply.bulk(consumer.name)
    reply.bulk(String(consumer.pending.size))
  }
}

function replyPending(group: ConsumerGroup, query: PendingQuery, nowMs: number, reply: Reply): void {
  const { start, end, count, idleMs, consumer } = query
  const pending = consumer === undefined ? group.pending : group.consumer(consumer)?.pending
  const found: (() => void)[] = []
  for (const [id, delivery] of pending?.entries(start) ?? []) {
    if (found.length >= count || compareIds(id, end) > 0) break
    const sinceMs = nowMs - delivery.atMs
    if (idleMs !== 0 && sinceMs < idleMs) continue
    found.push(() => {
      reply.array(4)
      reply.bulk(formatId(id))
      reply.bulk(delivery.consumer.name)
      reply.integer(Math.max(0, sinceMs))
      reply.integer(delivery.count)
    })
  }
  reply.array(found.length)
  for (const tell of found) tell()
}
