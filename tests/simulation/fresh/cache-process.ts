/**
 * One process with a cache of its own, as the others see it: what it can be told to do. Runs in a child (bench/src/remote.ts),
 * over the library or over a copy of it that was changed (mutants.ts).
 */
import type { Position } from 'millpond'
import type { Serve } from '../../../bench/src/remote.ts'
import { CachePeer } from './cache-peer.ts'
import type { Mode, Read, Row, Write } from './history.ts'
import type { WorkloadOptions } from './workload.ts'

export interface CacheProcessOptions {
  readonly name: string
  /** The folder of the library's sources. */
  readonly library: string
  readonly feedPort: number
  readonly poolPort: number
  readonly boundMs: number
  /** A feed whose server says nothing for so long connects anew. */
  readonly stallTimeoutMs: number
  /** Writers commit with `synchronous_commit = off`: then the feed is told so. */
  readonly isAsync: boolean
  /** A slot that is kept between connections. */
  readonly slot?: string
  /** A Redis over which the processes share one feeder. */
  readonly relay?: string
  /** The pool leads to a standby: nothing can be written. */
  readonly readsStandby: boolean
  /** Tells versions of several processes apart: 0 to 19. */
  readonly writer: number
}

/** A version that somebody has written, and where it stands: who carries it must see it. */
export interface Claim extends Row {
  readonly token: Position
}

export interface ReadWish {
  readonly key: number
  readonly mode: Exclude<Mode, 'rest'>
  readonly via?: Read['via']
  /** For `atLeast`. */
  readonly claim?: Claim
}

export type CacheProcess = {
  /** Resolves once the feed is whole. */
  ready(): Promise<void>
  /** What the feed says of itself. */
  status(): { state: string; unsettled: number; reason: string | undefined }
  read(wish: ReadWish): Promise<Read | undefined>
  write(key: number): Promise<Claim | undefined>
  /** Begins a load whose loader does not return before `release`, and resolves when it has read the row. */
  hold(key: number): Promise<void>
  release(): Promise<void>
  /** Whether from now on nothing that comes over the bus is heard. */
  deafen(isDeaf: boolean): void
  /** Whether the feed has told everything up to the position, and all of it is visible. */
  caughtUp(token: Position): Promise<boolean>
  start(options: WorkloadOptions): void
  /** Ends the readers and writers. */
  stop(): Promise<void>
  /** How many reads were hits. */
  hits(): number
  /** Claims that were written since the last call; waits a little for one. */
  claims(): Promise<Claim[]>
  /** Claims that others have written. */
  give(claims: Claim[]): void
  /** Reads each row twice when nothing changes any more. */
  rest(keys: number[]): Promise<void>
  /** What was recorded since the last call. */
  records(): { reads: Read[]; writes: Write[] }
  close(): Promise<void>
}

export const serve: Serve<CacheProcessOptions, CacheProcess> = async (options) => {
  const peer = await CachePeer.open(options)
  return {
    ready: () => peer.feed.ready(),
    status() {
      const { state, unsettled, bypassReason } = peer.feed.status()
      return { state, unsettled, reason: bypassReason }
    },
    read: (wish) => peer.read(wish),
    write: (key) => peer.write(key),
    hold: (key) => peer.hold(key),
    release: () => peer.release(),
    deafen(isDeaf) {
      peer.bus!.isDeaf = isDeaf
    },
    caughtUp: (token) => peer.caughtUp(token),
    start: (work) => peer.start(work),
    stop: () => peer.stop(),
    hits: () => peer.hits,
    claims: () => peer.takeClaims(),
    give: (claims) => peer.given.push(...claims),
    rest: (keys) => peer.rest(keys),
    records: () => ({ reads: peer.reads.splice(0), writes: peer.writes.splice(0) }),
    close: () => peer.close(),
  } as CacheProcess
}
