import type { Position } from '../core/feed.ts'

/**
 * How fresh an answer has to be. `bounded`: nothing that was visible longer ago than the feed's `maxStaleness` is missing.
 * `atLeast`: nothing up to the position is missing. `strict`: nothing that was committed when the question was put is missing.
 */
export type ReadMode = 'bounded' | 'strict' | { readonly atLeast: Position }
