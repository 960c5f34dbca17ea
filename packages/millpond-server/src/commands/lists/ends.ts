/** The two ends of a list, and taking elements from them: what the pops, the moves and their waiting kin have in common. */
import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import { LIST, type List } from '../../engine/values/list.ts'
import type { Client } from '../client.ts'
import { countOf } from '../counts.ts'

export type End = 'left' | 'right'

/** A key and the list under it. */
export interface Found {
  readonly key: Span
  readonly list: List
}

/** The end that a word names. */
export function endAt(args: Arguments, at: number): End {
  if (args.is(at, 'left')) return 'left'
  if (args.is(at, 'right')) return 'right'
  throw syntaxError()
}

/** The first of the keys that holds a list. @throws ReplyError WRONGTYPE where one before it holds something else */
export function firstOf({ db }: Client, keys: readonly Span[]): Found | undefined {
  for (const key of keys) {
    const list = db.edit(key, LIST)
    if (list !== undefined) return { key, list }
  }
  return undefined
}

/** Takes up to `count` elements, in the order in which they leave. */
export function popMany(client: Client, { key, list }: Found, end: End, count: number): string[] {
  const taken = Math.min(count, list.size)
  const from = end === 'left' ? 0 : list.size - taken
  const texts = list.slice(from, from + taken)
  if (end === 'right') texts.reverse()
  list.removeRange(from, taken)
  client.db.changed(key, popEvent(end), 'l')
  return texts
}

/** BLPOP and BRPOP: the key and its element. */
export function replyFirstPopped(client: Client, found: Found, end: End, reply: Reply): void {
  client.logAs(popEvent(end), found.key.copy())
  const text = end === 'left' ? found.list.popHead() : found.list.popTail()
  client.db.changed(found.key, popEvent(end), 'l')
  reply.array(2)
  reply.bulk(found.key.text())
  reply.bulk(text)
}

/** LMPOP and BLMPOP: the key and its elements. */
export function replyManyPopped(client: Client, found: Found, end: End, count: number, reply: Reply): void {
  client.logAs(popEvent(end), found.key.copy(), String(Math.min(count, found.list.size)))
  const texts = popMany(client, found, end, count)
  reply.array(2)
  reply.bulk(found.key.text())
  reply.array(texts.length)
  for (const text of texts) reply.bulk(text)
}

/** What LMPOP is told from the number of keys on. */
export function manyOf(
  args: Arguments,
  countAt: number,
): { readonly keys: readonly Span[]; readonly end: End; readonly count: number } {
  const keys = countOf(args, countAt, 'numkeys should be greater than 0', 1)
  const at = countAt + keys + 1
  if (at >= args.count) throw syntaxError()
  const end = endAt(args, at)
  const rest = args.count - at - 1
  const counted = rest >= 2 && args.is(at + 1, 'count')
  const count = counted ? countOf(args, at + 2, 'count should be greater than 0', 1) : 1
  if (rest !== (counted ? 2 : 0)) throw syntaxError()
  return { keys: args.spans(countAt + 1, at), end, count }
}

export function popEvent(end: End): 'lpop' | 'rpop' {
  return end === 'left' ? 'lpop' : 'rpop'
}
