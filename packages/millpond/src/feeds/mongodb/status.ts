/** How a feed of MongoDB is doing, for people, dashboards and tests. */
import type { Position } from '../../core/feed.ts'
import { formatPosition } from './cluster-time.ts'
import type { MongoFeedSettings } from './options.ts'
import type { StreamSession } from './stream-session.ts'

/** What `status()` of a feed says. */
export interface MongoFeedStatus {
  /**
   * `idle`: nobody listens. `starting`: connecting, or catching up. `live`: fresh within the bound. `late`: there, and
   * behind by more than the bound. `closed`.
   */
  readonly state: 'idle' | 'starting' | 'live' | 'late' | 'closed'
  /** How old the latest proof of freshness is; Infinity while there is none. */
  readonly lagMs: number
  /** As `freshAsOfMs()`. */
  readonly freshAsOfMs: number
  /** Why hits are not served now; `undefined` when they are. */
  readonly bypassReason: string | undefined
  /** Everything up to here was told. */
  readonly position: Position | undefined
  /** How often it began anew: what was cached before did not count any more. */
  readonly epoch: number
  /** The name of the replica set, or `sharded`. */
  readonly cluster: string | undefined
  readonly electionId: string | undefined
  /** Of this epoch: events read, questions to the primary, and streams opened. */
  readonly events: number
  readonly questions: number
  readonly streams: number
  /** Changes of whole collections that were told in this epoch: dropped, renamed, made anew. */
  readonly generation: number
}

export interface StatusParts {
  readonly session: StreamSession | undefined
  readonly settings: MongoFeedSettings
  readonly epoch: number
  readonly reason: string | undefined
  readonly isRunning: boolean
  readonly isClosed: boolean
}

export function describeStatus(parts: StatusParts): MongoFeedStatus {
  const { session, settings, epoch } = parts
  const freshAsOfMs = session?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  const lagMs = settings.clock.monotonic() - freshAsOfMs
  const { cluster, electionId } = session?.server ?? {}
  const time = session?.time
  const state = stateOf(parts, lagMs)
  return {
    state,
    lagMs,
    freshAsOfMs,
    bypassReason: bypassReasonOf(parts, state, lagMs),
    position: time === undefined ? undefined : formatPosition({ cluster: cluster!, time }),
    epoch,
    cluster,
    electionId,
    ...(session?.facts ?? { events: 0, questions: 0, streams: 0 }),
    generation: session?.generation ?? 0,
  }
}

function stateOf({ isClosed, isRunning, settings }: StatusParts, lagMs: number): MongoFeedStatus['state'] {
  if (isClosed) return 'closed'
  if (!isRunning) return 'idle'
  if (lagMs === Number.POSITIVE_INFINITY) return 'starting'
  return lagMs <= settings.maxStalenessMs ? 'live' : 'late'
}

function bypassReasonOf(parts: StatusParts, state: MongoFeedStatus['state'], lagMs: number): string | undefined {
  const { reason, settings } = parts
  if (state === 'live') return undefined
  if (state === 'late') {
    const late = `the feed is ${Math.round(lagMs)} ms behind, more than the ${settings.maxStalenessMs} ms of maxStaleness`
    return reason === undefined ? late : `${late}: ${reason}`
  }
  if (state === 'idle') return 'nobody listens'
  return state === 'closed' ? 'the feed is closed' : (reason ?? 'connecting')
}
