/** What sets have in common, apart or together: the work of SINTER, SUNION, SDIFF and their kin. */
import type { Arguments } from '../../engine/arguments.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import { SET, SetValue } from '../../engine/values/set.ts'

/** A set, or nothing where there is no such key. */
export type MaybeSet = SetValue | undefined

/** Makes a new set of others. */
export type SetOperation = (db: Keyspace, sets: readonly MaybeSet[]) => SetValue

/** The sets under the words from `from` to before `to`. @throws ReplyError WRONGTYPE */
export function setsOf(db: Keyspace, args: Arguments, from: number, to: number = args.count): MaybeSet[] {
  const sets: MaybeSet[] = []
  for (let at = from; at < to; at++) sets.push(db.read(args.span(at), SET))
  return sets
}

/** Tells the members that all sets have, until it is told that there are enough: the smallest set is asked first. */
export function eachCommon(sets: readonly MaybeSet[], tell: (member: string) => boolean): void {
  if (sets.includes(undefined)) return
  const [smallest, ...others] = (sets as SetValue[]).toSorted((one, other) => one.size - other.size)
  for (const member of smallest!.members()) {
    if (others.every((other) => other.has(member)) && !tell(member)) return
  }
}

export const intersection: SetOperation = (db, sets) => {
  const result = new SetValue(db.limits)
  eachCommon(sets, (member) => {
    result.add(member)
    return true
  })
  return result
}

export const union: SetOperation = (db, sets) => {
  const result = new SetValue(db.limits)
  for (const set of sets) for (const member of set?.members() ?? []) result.add(member)
  return result
}

/** Members of the first set that no other has. */
export const difference: SetOperation = (db, sets) => {
  const result = new SetValue(db.limits)
  const [first, ...others] = sets
  for (const member of first?.members() ?? []) {
    if (!others.some((other) => other?.has(member))) result.add(member)
  }
  return result
}

/** Answers with the members of a set. */
export function replySet(reply: Reply, set: SetValue): void {
  reply.set(set.size)
  for (const member of set.members()) reply.bulk(member)
}

/** Puts a set under the key that is the first word, in place of whatever was there, and answers with its size. */
export function storeSet(db: Keyspace, args: Arguments, set: SetValue, event: string, reply: Reply): void {
  const key = args.span(1)
  if (set.size > 0) {
    db.put(key, set)
    db.changed(key, event, 's')
  } else if (db.delete(key)) db.changed(key, 'del', 'g')
  reply.integer(set.size)
}
