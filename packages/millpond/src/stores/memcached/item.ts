/**
 * A text with its life, as it stands in Memcached: `<stored at> <life> <fence> <exptime>` in a first line, then the text.
 *
 * Memcached ends items by whole seconds, and tells how many are left. So the exact life stands in the item, and is counted
 * by the wall clocks of who wrote and who reads; the server's count bounds what these say. Clocks that agree give
 * milliseconds; clocks that do not, seconds, however far they are apart.
 */

/** What is to be stored. */
export interface Item {
  readonly text: string
  /** How long it is good for. Infinity is for ever. */
  readonly lifeMs: number
  /** How long its mark has to stand, even when its life is over: what is left of the tombstone that it replaces. */
  readonly fenceMs?: number
}

/** The same as it is sent. */
export interface Packed {
  readonly text: string
  /** Seconds until Memcached itself drops it, never before its life ends; 0 for never. */
  readonly exptime: number
}

/** What was read back. */
export interface ReadItem {
  readonly text: string
  readonly agedMs: number
  readonly fenceLeftMs: number
  /** Life and fence are over: it stands there only because Memcached counts whole seconds. */
  readonly hasEnded: boolean
}

/** What is finite ends after 30 days at the latest. */
export function packed({ text, lifeMs, fenceMs = 0 }: Item, nowMs: number): Packed {
  const endMs = Math.max(lifeMs, fenceMs)
  const exptime = endMs === Number.POSITIVE_INFINITY ? 0 : Math.min(Math.ceil(endMs / 1000) + 1, EXPTIME_MAX)
  return { text: `${Math.floor(nowMs)} ${lifeMs} ${fenceMs} ${exptime}\n${text}`, exptime }
}

/**
 * @param stored what stands there
 * @param secondsLeft what the server says of its time; negative for no end
 * @returns `undefined` when it is no item of ours
 */
export function readItem(stored: string, secondsLeft: number, nowMs: number): ReadItem | undefined {
  const line = FIRST_LINE.exec(stored)
  if (line === null) return undefined
  const [storedAtMs, lifeMs, fenceMs, exptime] = line.slice(1).map(Number) as [number, number, number, number]
  // Both are cut to whole milliseconds: it may be one older than they say.
  const byClocksMs = nowMs - storedAtMs + 1
  const agedMs = Math.max(0, secondsLeft < 0 ? byClocksMs : within(byClocksMs, (exptime - secondsLeft) * 1000))
  return {
    text: stored.slice(line[0].length),
    agedMs,
    fenceLeftMs: Math.max(0, fenceMs - agedMs),
    hasEnded: agedMs >= Math.max(lifeMs, fenceMs),
  }
}

/** The server's seconds tick on their own: an item may be almost a second younger or older than their difference. */
function within(agedMs: number, byServerMs: number): number {
  return Math.min(Math.max(agedMs, byServerMs - TICK_MS), byServerMs + TICK_MS)
}

const NUMBER = String.raw`(Infinity|\d[\d.e+-]*)`
const FIRST_LINE = new RegExp(`^(\\d+) ${NUMBER} ${NUMBER} (\\d+)\\n`)
const TICK_MS = 1000
/** A larger number is a date to Memcached. */
const EXPTIME_MAX = 30 * 86_400
