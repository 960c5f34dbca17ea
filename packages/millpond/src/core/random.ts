/** A source of chance: floats in [0, 1). Passed in wherever a choice is random, so that a seed replays a run. */
export type Random = () => number

/**
 * A seeded generator: the same seed gives the same numbers on every machine. 32 bits of state (mulberry32, by Tommy
 * Ettinger): for jitter, sampling and tests, not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
