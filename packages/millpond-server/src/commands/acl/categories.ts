/** Categories of commands for access control, derived from what commands say of themselves. */
import type { Group } from '../command.ts'
import type { CommandEntry } from '../command-table.ts'

/** All of them, in the order in which ACL CAT tells them. */
export const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const

export type CategoryName = (typeof CATEGORIES)[number]

/** Groups whose name is a category. */
const OF_GROUP: Partial<Record<Group, CategoryName>> = {
  bitmap: 'bitmap',
  connection: 'connection',
  geo: 'geo',
  hash: 'hash',
  hyperloglog: 'hyperloglog',
  list: 'list',
  pubsub: 'pubsub',
  scripting: 'scripting',
  set: 'set',
  sorted_set: 'sortedset',
  stream: 'stream',
  string: 'string',
  transactions: 'transaction',
}

const known = new WeakMap<CommandEntry, ReadonlySet<CategoryName>>()

/** The categories of a command. A container has none but its speed: its commands have. */
export function categoriesOf(entry: CommandEntry): ReadonlySet<CategoryName> {
  const present = known.get(entry)
  if (present) return present
  const categories = new Set<CategoryName>(entry.command.categories)
  const group = OF_GROUP[entry.command.group]
  if (group && (entry.children === undefined || entry.command.flags.length > 0)) categories.add(group)
  if (entry.writes) categories.add('write')
  if (entry.reads && !categories.has('scripting')) categories.add('read')
  if (entry.has('admin')) {
    categories.add('admin')
    categories.add('dangerous')
  }
  if (entry.has('pubsub')) categories.add('pubsub')
  if (entry.has('blocking')) categories.add('blocking')
  categories.add(entry.isFast ? 'fast' : 'slow')
  known.set(entry, categories)
  return categories
}
