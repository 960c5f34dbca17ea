/** Taking entries from an end of a sorted set: what ZPOPMIN, ZMPOP and their blocking kin do. */
import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import { countOf } from '../counts.ts'

/** Which end. */
export type End = 'min' | 'max'

/** A key and the set under it. */
export interface Found {
  readonly key: Span
  readonly set: SortedSet
}

/** The first of the keys that holds a sorted set. Who waited is not concerned with what else the others hold by now. */
export function firstOf({ db, retrying }: Client, keys: readonly Span[]): Found | undefined {
  for (const key of keys) {
    if (retrying && db.typeOf(key) !== 'zset') continue
    const set = db.edit(key, SORTED_SET)
    if (set !== undefined) return { key, set }
  }
  return undefined
}

/** Removes up to `count` entries, and tells them in the order in which they leave. */
export function pop(client: Client, { key, set }: Found, end: End, count: number): (readonly [string, number])[] {
  const { db } = client
  const taken = Math.min(count, set.size)
  const from = end === 'min' ? 0 : set.size - taken
  const entries: (readonly [string, number])[] = []
  set.visit(from, from + taken, end === 'max', (member, score) => entries.push([member, score]))
  set.deleteRanks(from, from + taken)
  db.changed(key, `zpop${end}`, 'z')
  return entries
}

/** ZPOPMIN and ZPOPMAX. */
export function replyPopped(client: Client, args: Arguments, end: End, reply: Reply): void {
  if (args.count > 3) throw syntaxError()
  const count = args.count === 3 ? countOf(args, 2) : undefined
  const found = firstOf(client, [args.span(1)])
  if (found === undefined || count === 0) {
    reply.array(0)
    return
  }
  const entries = pop(client, found, end, count ?? 1)
  const inPairs = client.protocol === 3 && count !== undefined
  reply.array(inPairs ? entries.length : entries.length * 2)
  replyEntries(entries, inPairs, reply)
}

/** BZPOPMIN and BZPOPMAX: key, member and score. */
export function replyFirstPopped(client: Client, found: Found, end: End, reply: Reply): void {
  client.logAs(`ZPOP${end.toUpperCase()}`, found.key.copy())
  const entries = pop(client, found, end, 1)
  reply.array(3)
  reply.bulk(found.key.text())
  replyEntries(entries, false, reply)
}

/** ZMPOP and BZMPOP: a key and its entries. */
export function replyManyPopped(client: Client, found: Found, end: End, count: number, reply: Reply): void {
  const taken = Math.min(count, found.set.size)
  client.logAs(`ZPOP${end.toUpperCase()}`, found.key.copy(), String(taken))
  const entries = pop(client, found, end, count)
  reply.array(2)
  reply.bulk(found.key.text())
  reply.array(entries.length)
  replyEntries(entries, true, reply)
}

/** What ZMPOP is told from the number of keys on. */
export function manyOf(
  args: Arguments,
  countAt: number,
): { readonly keys: readonly Span[]; readonly end: End; readonly count: number } {
  const keys = countOf(args, countAt, 'numkeys should be greater than 0', 1)
  const endAt = countAt + keys + 1
  if (endAt >= args.count) throw syntaxError()
  const end = args.is(endAt, 'min') ? 'min' : args.is(endAt, 'max') ? 'max' : undefined
  if (end === undefined) throw syntaxError()
  const rest = args.count - endAt - 1
  const counted = rest >= 2 && args.is(endAt + 1, 'count')
  const count = counted ? countOf(args, endAt + 2, 'count should be greater than 0', 1) : 1
  if (rest !== (counted ? 2 : 0)) throw syntaxError()
  return { keys: args.spans(countAt + 1, endAt), end, count }
}

function replyEntries(entries: readonly (readonly [string, number])[], inPairs: boolean, reply: Reply): void {
  for (const [member, score] of entries) {
    if (inPairs) reply.array(2)
    reply.bulk(member)
    reply.double(score)
  }
}
