/** Brings what another server holds into a cache, while both are used. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../../commands/service.ts'
import type { RdbKey } from '../../engine/rdb/rdb-reader.ts'
import { Span } from '../../engine/span.ts'
import type { Progress } from '../backup.ts'
import { Intake } from '../intake.ts'

/** Some keys of a source. */
export interface Batch {
  readonly keys: readonly RdbKey[]
  /** Keys that this server can not take, and why. */
  readonly refused: readonly { readonly key: string; readonly reason: string }[]
  /** Where to go on behind them, if the source can. */
  readonly position: string | undefined
}

/** Where keys come from. */
export interface Source {
  /** About how many keys there are. @throws BackupError source */
  count(): Promise<number>
  /** @param from a position of an earlier import */
  batches(from: string | undefined): AsyncIterable<Batch>
  close(): void
}

export interface ImportProgress extends Progress {
  /** Where to go on if it is ended here; `undefined`: it has to begin anew. */
  readonly position: string | undefined
}

export interface ImportOptions {
  /** Keys that are here already: they are replaced (default), or kept. */
  readonly existing?: 'replace' | 'keep'
  /** At most so many keys a second. Default: no bound. */
  readonly keysPerSecond?: number
  /** Goes on where an earlier import ended. */
  readonly from?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface Imported {
  readonly keys: number
  /** Keys whose time was over, and that were here already and kept. */
  readonly expired: number
  readonly kept: number
  /** Keys that could not be taken, the first of them with why. */
  readonly refused: number
  readonly refusals: readonly string[]
}

const REFUSALS_SHOWN = 10
/** So many keys are put in without a pause. */
const KEYS_A_STEP = 64

/**
 * A key that changes at the source behind its turn is not brought again: to move without a loss, end the writes there, or import
 * a second time.
 *
 * @throws BackupError; what was imported until then stays
 */
export async function importFrom(service: Service, source: Source, options: ImportOptions = {}): Promise<Imported> {
  const { signal, onProgress, existing = 'replace', keysPerSecond = Number.POSITIVE_INFINITY } = options
  const intake = new Intake(service)
  const sums = { kept: 0, refused: 0 }
  const refusals: string[] = []
  const beganMs = performance.now()
  try {
    const total = await source.count()
    for await (const { keys, refused, position } of source.batches(options.from)) {
      for (let at = 0; at < keys.length; at += KEYS_A_STEP) {
        sums.kept += intake.during(() => take(service, intake, keys.slice(at, at + KEYS_A_STEP), existing))
        await sleep(0)
      }
      sums.refused += refused.length
      for (const { key, reason } of refused) if (refusals.length < REFUSALS_SHOWN) refusals.push(`${key}: ${reason}`)
      const done = intake.keys + intake.expired + sums.kept + sums.refused
      onProgress?.({ done, total: Math.max(total, done), bytes: 0, position })
      signal?.throwIfAborted()
      const aheadMs = (done / keysPerSecond) * 1000 - (performance.now() - beganMs)
      if (aheadMs > 0) await sleep(aheadMs, undefined, signal && { signal })
    }
  } finally {
    source.close()
  }
  return { keys: intake.keys, expired: intake.expired, ...sums, refusals }
}

/** Returns how many were here already, and stay. */
function take({ databases }: Service, intake: Intake, keys: readonly RdbKey[], existing: 'replace' | 'keep'): number {
  let kept = 0
  for (const key of keys) {
    if (existing === 'keep' && databases[key.db]?.typeOf(new Span(key.key)) !== undefined) kept++
    else intake.key(key)
  }
  return kept
}
