/** Which words of a command are keys: what COMMAND GETKEYS, ACL and tracking ask. */
import type { Arguments } from '../engine/arguments.ts'
import type { Command, KeySpec } from './command.ts'

/** A word that is a key, and by which specification. */
export interface KeyPlace {
  readonly place: number
  readonly spec: KeySpec
}

/** All keys of a command, in order. What is like a key but none, a sharded channel, is left out unless asked for. */
export function keyPlaces(command: Command, args: Arguments, others = false): readonly KeyPlace[] {
  const { keysOf, keysFor } = command
  const keys = keysFor?.(args) ?? command.keys ?? NONE
  if (keysOf) {
    const spec: KeySpec = keys[0] ?? { first: 1, last: 1, access: 'RW' }
    return keysOf(args).map((place) => ({ place, spec: specOf(keys, args, place) ?? spec }))
  }
  const places: KeyPlace[] = []
  for (const spec of keys) {
    if (spec.notKey && !others) continue
    for (const place of placesOf(spec, args)) places.push({ place, spec })
  }
  return places
}

const NONE: readonly KeySpec[] = []

/** A keyword that is given again stands before its key as the first one does. */
function specOf(specs: readonly KeySpec[], args: Arguments, place: number): KeySpec | undefined {
  return specs.find(
    (spec) =>
      placesOf(spec, args).includes(place) ||
      (typeof spec.first !== 'number' && args.is(place - 1, spec.first.keyword.toLowerCase())),
  )
}

/** Places by one specification; none, where the words do not fit it. */
function placesOf({ first, last, step = 1 }: KeySpec, args: Arguments): number[] {
  const begin = typeof first === 'number' ? first : keywordPlace(args, first) + 1
  if (begin <= 0) return []
  const places: number[] = []
  if (typeof last === 'number') {
    const fixed = typeof first === 'number' ? last : last < 0 ? last : begin + last
    const end = last < 0 ? args.count + last : Math.min(fixed, args.count - 1)
    for (let place = begin; place <= end; place += step) places.push(place)
    return places
  }
  const count = last.countAt < args.count ? Number(args.text(last.countAt)) : Number.NaN
  if (!Number.isInteger(count) || count < 0 || begin + (count - 1) * step >= args.count) return []
  for (let at = 0; at < count; at++) places.push(begin + at * step)
  return places
}

function keywordPlace(args: Arguments, { keyword, from }: { readonly keyword: string; readonly from: number }): number {
  const wanted = keyword.toUpperCase()
  if (from < 0) {
    for (let at = args.count + from; at > 0; at--) if (args.option(at) === wanted) return at
    return -1
  }
  for (let at = from; at < args.count; at++) if (args.option(at) === wanted) return at
  return -1
}
