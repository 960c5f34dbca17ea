/** Moving an element from an end of a list to an end of the same or another one. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Reply } from '../../engine/reply.ts'
import { LIST, type List } from '../../engine/values/list.ts'
import type { Client } from '../client.ts'
import type { KeySpec } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'
import { type End, popEvent } from './ends.ts'

/** Of all four commands: from the first word to the second. */
export const MOVE_KEYS: readonly KeySpec[] = [
  { first: 1, last: 1, access: 'RW', touches: ['access', 'delete'] },
  { first: 2, last: 2, access: 'RW', touches: ['insert'] },
]

/** Moves one, and answers with it. Returns whether there was one. @throws ReplyError WRONGTYPE */
export function move({ db }: Client, args: Arguments, from: End, to: End, reply: Reply): boolean {
  const sourceKey = args.span(1)
  const targetKey = args.span(2)
  const source = db.edit(sourceKey, LIST)
  if (source === undefined) return false
  const target: List = db.editOrNew(targetKey, LIST)
  const text = from === 'left' ? source.popHead() : source.popTail()
  if (to === 'left') target.pushHead(text)
  else target.pushTail(text)
  db.changed(targetKey, to === 'left' ? 'lpush' : 'rpush', 'l')
  db.changed(sourceKey, popEvent(from), 'l')
  reply.bulk(text)
  return true
}

/** As Redis: nothing where nobody may wait, no list where the time was over. */
export function moveTimedOut(client: Client, reply: Reply): void {
  if ((client.modes & CLIENT_MODE.NEVER_BLOCKS) !== 0) reply.nil()
  else reply.nilArray()
}
