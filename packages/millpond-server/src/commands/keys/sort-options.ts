/** The options of SORT. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'

export interface SortOptions {
  /** Pattern of the keys by which to sort; `undefined`: by the elements themselves. */
  by: string | undefined
  /** Whether the order is to stay as it is: BY a key that is the same for all. */
  unsorted: boolean
  offset: number
  /** Below 0: all. */
  count: number
  get: string[]
  descending: boolean
  /** As texts, not as numbers. */
  alpha: boolean
  /** Where the key stands under which the result is stored; 0: it is told. */
  storeAt: number
}

export function sortOptionsOf(client: Client, args: Arguments, mayStore: boolean): SortOptions {
  const options: SortOptions = {
    by: undefined,
    unsorted: false,
    offset: 0,
    count: -1,
    get: [],
    descending: false,
    alpha: false,
    storeAt: 0,
  }
  for (let at = 2; at < args.count; at++) {
    const left = args.count - at - 1
    const option = args.option(at)
    if (option === 'ASC') options.descending = false
    else if (option === 'DESC') options.descending = true
    else if (option === 'ALPHA') options.alpha = true
    else if (option === 'LIMIT' && left >= 2) {
      options.offset = args.integer(++at)
      options.count = args.integer(++at)
    } else if (option === 'STORE' && mayStore && left >= 1) options.storeAt = ++at
    else if (option === 'BY' && left >= 1) sortBy(client, args, options, args.text(++at))
    else if (option === 'GET' && left >= 1) {
      mayReadAll(client, args, option)
      options.get.push(args.text(++at))
    } else throw syntaxError()
  }
  return options
}

/** Places of all words that follow STORE, where SORT would look for it. */
export function storeWords(args: Arguments): number[] {
  const places: number[] = []
  for (let at = 2; at < args.count; at++) {
    if (args.is(at, 'limit')) at += 2
    else if (args.is(at, 'get') || args.is(at, 'by')) at++
    else if (args.is(at, 'store') && at + 1 < args.count) places.push(++at)
  }
  return places
}

function sortBy(client: Client, args: Arguments, options: SortOptions, pattern: string): void {
  options.by = pattern
  if (pattern.includes('*')) mayReadAll(client, args, 'BY')
  else options.unsorted = true
}

/** Which keys are read depends on what is sorted, so that permissions can not be asked beforehand. */
function mayReadAll(client: Client, args: Arguments, option: string): void {
  if (client.mayReadAllKeys(args)) return
  throw new ReplyError(`${option} option of SORT denied due to insufficient ACL permissions.`)
}
