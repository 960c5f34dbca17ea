import type { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { put } from './put.ts'
import { dated, laterEnd, markOf } from './record.ts'

/** Stores what was loaded, if nothing has happened to the key since it was read: a fenced fill. */
export const fillPut: Command = {
  name: 'put',
  since: '0.1.0',
  group: 'string',
  summary: 'Stores a record if the key still has the mark that was read; an empty mark is an absent key.',
  complexity: 'O(1)',
  arity: 5,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update'], 2),
  syntax: 'key mark record',
  run(client, args, reply) {
    const { nowMs } = client.service.time
    const key = args.span(2)
    const record = dated(args.bytes, args.start(4), args.end(4), nowMs)
    const isSame = standingMark(client, key) === args.text(3)
    if (isSame) {
      const fencedUntilMs = client.db.expiresAtMs(key)
      put(client, key, record.bytes, laterEnd(record.expiresAtMs, fencedUntilMs, nowMs))
    }
    reply.integer(isSame ? 1 : 0)
  },
}

/** The mark of what stands under a key; `''` is nothing, `undefined` what is no string. */
function standingMark({ db }: Client, key: Span): string | undefined {
  const type = db.typeOf(key)
  if (type === undefined) return ''
  const view = type === 'string' ? db.editString(key) : undefined
  return view && markOf(view.bytes, view.start, view.end)
}
