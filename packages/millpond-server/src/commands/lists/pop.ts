import type { Arguments } from '../../engine/arguments.ts'
import { wrongArity } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { LIST } from '../../engine/values/list.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { countOf } from '../counts.ts'
import { oneKey } from '../key-specs.ts'
import { type End, popEvent, popMany } from './ends.ts'

function commandFor(end: End, summary: string): Command {
  const name = popEvent(end)
  return {
    name,
    since: '1.0.0',
    group: 'list',
    summary,
    complexity: 'O(N) for N elements',
    arity: -2,
    flags: ['write', 'fast'],
    keys: oneKey('RW', ['access', 'delete']),
    syntax: 'key [count]',
    run(client, args, reply) {
      if (args.count > 3) throw wrongArity(name)
      if (args.count === 3) popCounted(client, args, end, reply)
      else popOne(client, args, end, reply)
    },
  }
}

/** Takes elements from the front of a list. */
export const lpop: Command = commandFor('left', 'Takes the first element of a list, or the first few.')
/** Takes elements from the end of a list. */
export const rpop: Command = commandFor('right', 'Takes the last element of a list, or the last few.')

function popOne({ db }: Client, args: Arguments, end: End, reply: Reply): void {
  const key = args.span(1)
  const list = db.edit(key, LIST)
  if (list === undefined) {
    reply.nil()
    return
  }
  const text = end === 'left' ? list.popHead() : list.popTail()
  db.changed(key, popEvent(end), 'l')
  reply.bulk(text)
}

function popCounted(client: Client, args: Arguments, end: End, reply: Reply): void {
  const count = countOf(args, 2)
  const key = args.span(1)
  const list = client.db.edit(key, LIST)
  if (list === undefined) {
    reply.nilArray()
    return
  }
  const texts = count === 0 ? [] : popMany(client, { key, list }, end, count)
  reply.array(texts.length)
  for (const text of texts) reply.bulk(text)
}
