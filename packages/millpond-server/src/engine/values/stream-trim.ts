/** How streams are cut at their beginning. */
import type { StreamBlock } from './stream-block.ts'
import { compareIds, type StreamId } from './stream-id.ts'

/** What is left: at most so many entries, or none before an id. */
export interface Trimming {
  readonly keep: number | StreamId
  /** Whole blocks only: faster, and some entries more may be left. */
  readonly approximate: boolean
  /** Remove no more than this; 0: any number. */
  readonly limit: number
}

/** How many blocks go whole, and then how many entries of the next one. */
export interface Trimmed {
  readonly blocks: number
  readonly entries: number
}

/** Tells what goes, as Redis does it: block by block, each either whole, or in part and then it was the last. */
export function trimmedFrom(blocks: readonly StreamBlock[], size: number, trimming: Trimming): Trimmed {
  const { keep, approximate, limit } = trimming
  let left = size
  for (let at = 0; at < blocks.length; at++) {
    const block = blocks[at]!
    if (typeof keep === 'number' && left <= keep) return { blocks: at, entries: 0 }
    if (limit > 0 && size - left + block.size > limit) return { blocks: at, entries: 0 }
    const goesWhole = typeof keep === 'number' ? left - block.size >= keep : compareIds(block.lastId, keep) < 0
    if (goesWhole) left -= block.size
    else if (approximate) return { blocks: at, entries: 0 }
    else return { blocks: at, entries: typeof keep === 'number' ? left - keep : block.placeOf(keep) }
  }
  return { blocks: blocks.length, entries: 0 }
}
