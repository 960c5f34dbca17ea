/** Times to live as memcached takes them: seconds. */

/** More seconds than this are a moment since 1970. */
const RELATIVE_MAX = 30 * 24 * 60 * 60
const OVER = 1

/** The moment at which an item expires, in milliseconds since 1970; Infinity: never. A negative time is over already. */
export function expiryOf(seconds: number, nowMs: number): number {
  if (seconds === 0) return Number.POSITIVE_INFINITY
  if (seconds < 0) return OVER
  return seconds > RELATIVE_MAX ? seconds * 1000 : nowMs + seconds * 1000
}

/** Whole seconds until a moment, as memcached tells them; -1: it never comes. */
export function secondsLeft(expiresAtMs: number, nowMs: number): number {
  return expiresAtMs === Number.POSITIVE_INFINITY ? -1 : Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000))
}
