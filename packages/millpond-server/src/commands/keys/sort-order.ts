/** The order that SORT makes. */
import { parseFloat64 } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Client } from '../client.ts'
import type { SortOptions } from './sort-options.ts'
import { valueFor } from './sort-pattern.ts'

/** The elements in the order that is asked for. A set, which has none of its own, is never told as it is. */
export function sorted(client: Client, texts: string[], isSet: boolean, options: SortOptions): string[] {
  if (options.unsorted && !isSet) return options.descending ? texts.reverse() : texts
  const sign = options.descending ? -1 : 1
  if (options.unsorted) return texts.sort((one, other) => sign * compare(one, other))
  const { by } = options
  const keys = texts.map((text) => (by === undefined ? text : valueFor(client, by, text)))
  const order = options.alpha ? alphaOrder(keys) : numberOrder(keys, texts)
  return Array.from(texts.keys())
    .sort((one, other) => sign * order(one, other))
    .map((at) => texts[at]!)
}

/** The part that LIMIT says. */
export function limited(texts: string[], { offset, count }: SortOptions): string[] {
  const from = Math.max(0, offset)
  return count < 0 ? texts.slice(from) : texts.slice(from, from + count)
}

type Order = (one: number, other: number) => number

/** What has no key comes first. */
function alphaOrder(keys: readonly (string | undefined)[]): Order {
  return (one, other) => {
    const left = keys[one]
    const right = keys[other]
    if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined)
    return compare(left, right)
  }
}

/** Equal numbers are told apart by the elements. */
function numberOrder(keys: readonly (string | undefined)[], texts: readonly string[]): Order {
  const numbers = keys.map((key) => (key === undefined ? 0 : numberOf(key)))
  return (one, other) => {
    const left = numbers[one]!
    const right = numbers[other]!
    return left < right ? -1 : left > right ? 1 : compare(texts[one]!, texts[other]!)
  }
}

/** As C reads numbers: spaces in front are allowed, a zero byte ends the text, and no text at all is 0. */
function numberOf(text: string): number {
  const [given = ''] = text.split('\0', 1)
  const value = given === '' ? 0 : parseFloat64(given.replace(/^[ \t-\r]+/, ''))
  if (value === undefined) throw new ReplyError("One or more scores can't be converted into double")
  return value
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
