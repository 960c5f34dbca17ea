/** What happened in a run, as those saw it who did it. All times are of the machine's monotonic clock: the same in all processes. */

/** Milliseconds that never go back, comparable between the processes of one machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * The least version that a write of this moment gives. Versions of a row grow with every write and are used once, also when
 * a crash took some away: the time is in them.
 *
 * @param writer 0 to 19
 */
export function versionAt(ms: number, writer: number): number {
  return Math.floor(ms * 1000) * 1000 + writer * 50
}

/** A version was made at this moment, or later. */
export function madeAfterMs(version: number): number {
  return Math.floor(version / 1000) / 1000
}

/** A write that was sent to the database. One that was rolled back is none. */
export interface Write {
  readonly key: number
  /** Unknown where no answer came. */
  readonly version: number | undefined
  /** Whose pool wrote it; `undefined`: somebody whom no cache knows. */
  readonly by: string | undefined
  readonly beganMs: number
  /** When its COMMIT was answered; `undefined`: it was not, and may have happened or not. */
  readonly ackedMs: number | undefined
  /** Which run of the server answered. */
  readonly server?: string
}

/** How fresh a read has to be. `rest`: nothing changes any more, and all has been told. */
export type Mode = 'bounded' | 'atLeast' | 'strict' | 'rest'

/** A read that was answered. */
export interface Read {
  readonly by: string
  readonly mode: Mode
  /** The cached pool, or `getOrSet` with a loader: only the pool knows what its process has written. */
  readonly via: 'pool' | 'loader'
  readonly key: number
  readonly version: number
  readonly beganMs: number
  readonly endedMs: number
  /** No statement of the process was run for it or beside it. False where that is not sure. */
  readonly isHit: boolean
  /** The staleness that the reader's feed allows. */
  readonly boundMs: number
  /** `atLeast`: the version whose position was given. */
  readonly least?: number
  /** What is no hit comes from a standby: as old as that is. */
  readonly fromStandby?: boolean
}

/** A crash or a failover: what was acknowledged before may be lost. From its end on the database answers again. */
export interface Disaster {
  /** Which run of the server ended. */
  readonly server: string
  readonly beganMs: number
  readonly endedMs: number
  /** Every version that was ever committed and is there after it: what had been there and is not was lost by it. */
  readonly survivors: readonly Row[]
}

/** A row's version. */
export interface Row {
  readonly key: number
  readonly version: number
}

export interface History {
  readonly writes: readonly Write[]
  readonly reads: readonly Read[]
  /** In the order of time. */
  readonly disasters: readonly Disaster[]
  /** Every version that was ever committed and not lost: the database keeps the list. */
  readonly survivors: readonly Row[]
  /** The rows at the end. */
  readonly final: readonly Row[]
}
