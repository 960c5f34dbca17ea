/** How a feed is doing, for people, dashboards and tests. */
import type { Position } from '../../core/feed.ts'
import type { FeedSettings } from './options.ts'
import { formatPosition } from './position.ts'
import type { Session } from './session.ts'

/** What `status()` of a feed says. */
export interface PostgresFeedStatus {
  /**
   * `idle`: nobody listens. `starting`: connecting, waiting for the slot, or catching up. `live`: fresh within the bound.
   * `late`: the stream is there and behind by more than the bound. `closed`.
   */
  state: 'idle' | 'starting' | 'live' | 'late' | 'closed'
  mode: 'replication' | 'triggers'
  /** How old the latest proof of freshness is; Infinity while there is none. */
  lagMs: number
  /** As `freshAsOfMs()`. */
  freshAsOfMs: number
  /** Why hits are not served now; `undefined` when they are. */
  bypassReason: string | undefined
  /** Everything up to here was told. */
  position: Position | undefined
  /** Commits that were announced and are not known to be visible yet. */
  unsettled: number
  /** How many sessions were begun. */
  epoch: number
  systemId: string | undefined
  timeline: number | undefined
  /** For example `15.18`. */
  serverVersion: string | undefined
  slot: string | undefined
  publication: string | undefined
  /** Where processes share a feeder: which of them this one is. */
  role: 'feeder' | 'follower' | undefined
  /** Of this epoch: commits that named a tag, rows read, and queries that asked what is visible. */
  commits: number
  changes: number
  queries: number
}

export interface StatusParts {
  session: Session | undefined
  settings: FeedSettings
  epoch: number
  reason: string | undefined
  running: boolean
  closed: boolean
}

export function describeStatus(parts: StatusParts): PostgresFeedStatus {
  const { session, settings, epoch } = parts
  const freshAsOfMs = session?.freshAsOfMs ?? Number.NEGATIVE_INFINITY
  const lagMs = settings.clock.monotonic() - freshAsOfMs
  const facts = session?.facts
  const position = session?.position
  const state = stateOf(parts, lagMs)
  return {
    state,
    mode: settings.mode,
    lagMs,
    freshAsOfMs,
    bypassReason: bypassReason(parts, state, lagMs),
    position: position && formatPosition(position),
    unsettled: session?.unsettledTags().length ?? 0,
    epoch,
    systemId: facts?.server?.systemId,
    timeline: facts?.server?.timeline,
    serverVersion: facts?.server?.versionText,
    slot: facts?.slot,
    role: facts?.role,
    publication: settings.mode === 'replication' ? settings.publication : undefined,
    commits: facts?.commits ?? 0,
    changes: facts?.changes ?? 0,
    queries: facts?.queries ?? 0,
  }
}

function stateOf({ closed, running, settings }: StatusParts, lagMs: number): PostgresFeedStatus['state'] {
  if (closed) return 'closed'
  if (!running) return 'idle'
  if (lagMs === Number.POSITIVE_INFINITY) return 'starting'
  return lagMs <= settings.maxStalenessMs ? 'live' : 'late'
}

function bypassReason(
  { reason, settings }: StatusParts,
  state: PostgresFeedStatus['state'],
  lagMs: number,
): string | undefined {
  if (state === 'live') return undefined
  if (state === 'late')
    return `the feed is ${Math.round(lagMs)} ms behind, more than the ${settings.maxStalenessMs} ms of maxStaleness`
  if (state === 'idle') return 'nobody listens'
  return state === 'closed' ? 'the feed is closed' : (reason ?? 'connecting')
}
