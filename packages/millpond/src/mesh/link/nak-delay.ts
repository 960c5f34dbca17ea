import type { Random } from '../../core/random.ts'

/**
 * How long to wait before asking for what is missing, in milliseconds: long enough for a datagram that was only overtaken,
 * and, where all hear the request, at random so that one asks and the others keep silent. In groups of up to
 * `QUIET_GROUP_MAX` peers nobody hears it, and the wait is 1 to 3 ms.
 *
 * The distribution is that of RFC 5401 (section 3.2.1): a truncated exponential one, which makes it likely that in a
 * group of any size few are early.
 */
export function nakDelayMs(peers: number, roundTripMs: number, random: Random): number {
  if (!isLoud(peers)) return OVERTAKEN_MS + QUIET_MS * random()
  const spreadMs = Math.min(LOUD_MS_MAX, Math.max(QUIET_MS, 4 * roundTripMs))
  const lambda = Math.log(peers) + 1
  return OVERTAKEN_MS + (spreadMs / lambda) * Math.log(1 + random() * (Math.exp(lambda) - 1))
}

/** Whether requests for repair go to all: in a group of this size others are likely to miss the same. */
export function isLoud(peers: number): boolean {
  return peers > QUIET_GROUP_MAX
}

const QUIET_GROUP_MAX = 4
const OVERTAKEN_MS = 1
const QUIET_MS = 2
const LOUD_MS_MAX = 16
