/** Ids of stream entries: milliseconds and a number within them, each of 64 bits without sign. */

/** One half of an id. A bigint only where a double would not be exact, so that equal halves are identical. */
export type IdPart = number | bigint

/** Orders the entries of a stream. */
export interface StreamId {
  readonly ms: IdPart
  readonly seq: IdPart
}

const PART_MAX = 2n ** 64n - 1n
/** So many digits a double holds exactly. */
const SAFE_DIGITS = 15

export const MIN_ID: StreamId = { ms: 0, seq: 0 }
export const MAX_ID: StreamId = { ms: PART_MAX, seq: PART_MAX }

/** Below 0: `one` comes first; 0: they are equal. */
export function compareIds(one: StreamId, other: StreamId): number {
  if (one.ms !== other.ms) return one.ms < other.ms ? -1 : 1
  return one.seq === other.seq ? 0 : one.seq < other.seq ? -1 : 1
}

export function formatId({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`
}

/** An id as clients write it: `ms-seq`, or `ms` alone, where `seq` is `missing`. */
export function parseId(text: string, missing: IdPart = 0): StreamId | undefined {
  const dash = text.indexOf('-')
  const ms = parsePart(dash < 0 ? text : text.slice(0, dash))
  const seq = dash < 0 ? missing : parsePart(text.slice(dash + 1))
  return ms === undefined || seq === undefined ? undefined : { ms, seq }
}

/** The half of an id that digits stand for. */
export function parsePart(digits: string): IdPart | undefined {
  if (!/^\d{1,127}$/.test(digits)) return undefined
  return digits.length <= SAFE_DIGITS ? Number(digits) : narrowed(BigInt(digits))
}

/** The next id; `undefined` behind the last one. */
export function idAfter({ ms, seq }: StreamId): StreamId | undefined {
  const next = shifted(seq, 1n)
  if (next !== undefined) return { ms, seq: next }
  const nextMs = shifted(ms, 1n)
  return nextMs === undefined ? undefined : { ms: nextMs, seq: 0 }
}

/** The id before; `undefined` before the first one. */
export function idBefore({ ms, seq }: StreamId): StreamId | undefined {
  const previous = shifted(seq, -1n)
  if (previous !== undefined) return { ms, seq: previous }
  const previousMs = shifted(ms, -1n)
  return previousMs === undefined ? undefined : { ms: previousMs, seq: PART_MAX }
}

function shifted(part: IdPart, by: bigint): IdPart | undefined {
  if (typeof part === 'number' && part > 0 && part < Number.MAX_SAFE_INTEGER) return part + Number(by)
  return narrowed(BigInt(part) + by)
}

function narrowed(value: bigint): IdPart | undefined {
  if (value < 0n || value > PART_MAX) return undefined
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}
