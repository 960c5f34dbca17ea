import { formatDouble } from '../../engine/numbers.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'
import { cursorOf, replyScan, scanOptionsOf } from '../scans.ts'

/** Tells the members and scores of a sorted set in steps, while it may change. */
export const zscan: Command = {
  name: 'zscan',
  since: '2.8.0',
  group: 'sorted_set',
  summary: 'Tells the members and scores of a sorted set in steps, while it may change.',
  complexity: 'O(1) for each step, O(N) for all N members',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key cursor [MATCH pattern] [COUNT count]',
  run({ db }, args, reply) {
    const cursor = cursorOf(args, 2)
    const set = db.read(args.span(1), SORTED_SET)
    const found: string[] = []
    if (set === undefined) {
      replyScan(reply, 0, found)
      return
    }
    const { count, pattern } = scanOptionsOf(args, 3)
    const next = set.scan(cursor, count, (member, score) => {
      if (pattern === undefined || pattern.matches(member)) found.push(member, formatScore(score, set))
    })
    replyScan(reply, next, found)
  },
}

/** A listpack has whole numbers as such, and shows all their digits. */
function formatScore(score: number, { encoding }: SortedSet): string {
  const isWhole = Number.isInteger(score) && Math.abs(score) <= 2 ** 62
  return encoding === 'listpack' && isWhole ? String(BigInt(score)) : formatDouble(score)
}
