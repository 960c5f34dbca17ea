/** What a reader may not be served less than: by what he asks for, and by what his process has written. */
import type { Feed, Position } from '../core/feed.ts'
import type { ReadMode } from './read-mode.ts'

/** Nothing up to here may be missing. */
export interface ReadFloor {
  readonly atLeast: Position | undefined
}

export interface ReadFloorParts {
  readonly feed: Pick<Feed, 'includes'> & { reached(position: Position, timeoutMs: number): Promise<unknown> }
  /** A position that covers everything by now. Rejects when nobody says it in time. */
  readonly now: () => Promise<Position>
  /** One that covers what this process has written; `undefined` when that is old news. Rejects when nobody says it in time. */
  readonly own: () => Promise<Position | undefined>
  /** How long, in milliseconds, is waited for the feed to get as far. */
  readonly waitMs: number
}

/**
 * The floor; when it is there, the feed has told up to it, if it does so in time. `undefined`: nobody can say what it is, as the
 * feed is not whole; the database knows.
 */
export async function readFloor(mode: ReadMode, parts: ReadFloorParts): Promise<ReadFloor | undefined> {
  const { feed, waitMs } = parts
  try {
    const wanted = await wantedBy(mode, parts)
    for (const position of wanted) if (!feed.includes(position)) await feed.reached(position, waitMs)
    // The last is the one that was asked for; of what the process has written nothing may be left open beside it.
    if (wanted.slice(0, -1).some((position) => !feed.includes(position))) return undefined
    return { atLeast: wanted.at(-1) }
  } catch {
    return undefined
  }
}

/** Whoever names the position of another's write has a claim to his own as well, which may be later. */
async function wantedBy(mode: ReadMode, { now, own }: ReadFloorParts): Promise<Position[]> {
  if (mode === 'strict') return [await now()]
  const said = mode === 'bounded' ? undefined : mode.atLeast
  return [await own(), said].filter((position) => position !== undefined)
}
