/**
 * The versions of one row, and which of them a read may return.
 *
 * A write is visible at the latest when it is acknowledged, and no earlier than it began. So a row's version is current
 * until, at the latest, the first acknowledgement of a later one; and one that was lost in a crash or a failover, until the
 * database answers again. A read of `bounded` needs a version that was still current `boundMs` before the read began, one
 * of `strict` a version that was current when it began. Nothing is allowed for slow machines: the times of a write enclose
 * its moment, and so do those of a read.
 */
import { type Disaster, madeAfterMs, type Read, type Write } from './history.ts'

export type Fault = 'over the bound' | 'own write missed' | 'not strict' | 'nobody wrote it' | 'wrong at rest'

export interface Violation {
  readonly fault: Fault
  readonly read: Read
  readonly why: string
}

interface Acknowledged {
  readonly version: number
  readonly by: string | undefined
  readonly beganMs: number
  readonly ackedMs: number
  /** From then on it may have been taken back. */
  readonly lostFromMs: number
}

/** Since when a version is known not to be current any more, and by what. */
interface Replaced {
  readonly atMs: number
  readonly by: string
}

const NEVER: Replaced = { atMs: Number.POSITIVE_INFINITY, by: 'nothing' }

/** Why a reader has a claim to a version. */
function claimTo(version: number, { by, least }: Read): string {
  if (version === least) return 'which the reader named'
  return `which ${by} had written${least === undefined ? '' : `, beside ${least}, which the reader named`}`
}

/** All that is known of one row. */
export class RowHistory {
  final: number | undefined
  readonly survivors = new Set<number>()
  readonly #disasters: readonly Disaster[]
  readonly #kept = new Map<Disaster, Set<number>>()
  /** By version. */
  #acked: Acknowledged[] = []
  /** For each of these: the first acknowledgement among it and all that are later and stayed. */
  #firstAckMs: number[] = []
  #lost: Acknowledged[] = []
  readonly #known = new Map<number, Write>()
  readonly #inDoubtMs: number[] = []

  constructor(disasters: readonly Disaster[]) {
    this.#disasters = disasters
  }

  /** The versions that were there after a disaster. */
  keptBy(disaster: Disaster): Set<number> {
    const kept = this.#kept.get(disaster) ?? new Set()
    this.#kept.set(disaster, kept)
    return kept
  }

  add(write: Write): void {
    const { version, by, beganMs, ackedMs } = write
    if (version === undefined || ackedMs === undefined) {
      this.#inDoubtMs.push(beganMs)
      return
    }
    this.#known.set(version, write)
    const lostFromMs = this.#lossOf(version)?.beganMs ?? Number.POSITIVE_INFINITY
    this.#acked.push({ version, by, beganMs, ackedMs, lostFromMs })
  }

  prepare(): void {
    this.#lost = this.#acked.filter(({ lostFromMs }) => lostFromMs < Number.POSITIVE_INFINITY)
    this.#acked = this.#acked
      .filter(({ lostFromMs }) => lostFromMs === Number.POSITIVE_INFINITY)
      .sort((one, other) => one.version - other.version)
    let firstMs = Number.POSITIVE_INFINITY
    this.#firstAckMs = this.#acked.map(() => 0)
    for (let at = this.#acked.length - 1; at >= 0; at--)
      this.#firstAckMs[at] = firstMs = Math.min(firstMs, this.#acked[at]!.ackedMs)
  }

  faultsOf(read: Read): Violation[] {
    const faults: Violation[] = []
    const found = (fault: Fault, why: string): void => void faults.push({ fault, read, why })
    if (!this.#mayExist(read)) found('nobody wrote it', 'no write of this version had begun')
    if (read.mode === 'rest') {
      if (read.version !== this.final) found('wrong at rest', `the database has version ${this.final}`)
      return faults
    }
    if (read.fromStandby && !read.isHit) return faults
    const { atMs, by } = this.replacedBy(read)
    const ageMs = read.beganMs - atMs
    if (read.mode === 'strict' && ageMs > 0) found('not strict', `${by} ${ageMs.toFixed(1)} ms before`)
    else if (ageMs > read.boundMs) found('over the bound', `${by} ${ageMs.toFixed(1)} ms before, bound ${read.boundMs}`)
    const least = this.#owed(read)
    if (read.version < least) found('own write missed', `version ${least} was to be seen, ${claimTo(least, read)}`)
    return faults
  }

  /** The first moment at which it is known that the version of a read was not current any more. */
  replacedBy({ version, endedMs }: Read): Replaced {
    let replaced = NEVER
    const consider = (atMs: number, by: string): void => {
      if (atMs < replaced.atMs) replaced = { atMs, by }
    }
    const later = this.#firstLater(version)
    if (later < this.#acked.length) consider(this.#firstAckMs[later]!, 'a later version was acknowledged')
    for (const { version: other, ackedMs, lostFromMs } of this.#lost)
      if (other > version && endedMs < lostFromMs) consider(ackedMs, 'a later version was acknowledged')
    const loss = this.#lossOf(version)
    if (loss) consider(loss.endedMs, 'the version was lost, and the database answered again')
    return replaced
  }

  /** The place of the first acknowledged version after this one. */
  #firstLater(version: number): number {
    let [low, high] = [0, this.#acked.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#acked[middle]!.version > version) high = middle
      else low = middle + 1
    }
    return low
  }

  /**
   * The disaster that took a version away: the first after which it was not there any more. The first row's version, 0, was
   * always there. Of one whose writer had no answer nobody knows since when it was: the last disaster, in favour of the reader.
   */
  #lossOf(version: number): Disaster | undefined {
    if (version === 0 || this.survivors.has(version)) return undefined
    const write = this.#known.get(version)
    if (write === undefined) return this.#disasters.findLast(({ endedMs }) => endedMs > madeAfterMs(version))
    const first = this.#disasters.findIndex(({ server }) => server === write.server)
    return this.#disasters.find((disaster, at) => first >= 0 && at >= first && !this.keptBy(disaster).has(version))
  }

  #mayExist({ version, endedMs }: Read): boolean {
    if (version === 0) return true
    const write = this.#known.get(version)
    if (write !== undefined) return write.beganMs <= endedMs
    // Its writer had no answer; or it is somebody's who keeps no record, and then the database knows it.
    if (madeAfterMs(version) > endedMs) return false
    return this.survivors.has(version) || this.#inDoubtMs.some((beganMs) => beganMs <= endedMs)
  }

  /** The version that a reader has a claim to, because it or its process wrote it. */
  #owed(read: Read): number {
    let least = 0
    const all = [...this.#lost, ...this.#ownOf(read.by)]
    for (const { version, by, ackedMs, lostFromMs } of all) {
      const isOwed = read.least === version || (read.via === 'pool' && by === read.by && ackedMs < read.beganMs)
      if (isOwed && read.endedMs < lostFromMs) least = Math.max(least, version)
    }
    const isLost = this.#lost.some(({ version }) => version === read.least)
    return read.least === undefined || isLost ? least : Math.max(least, read.least)
  }

  readonly #own = new Map<string, Acknowledged[]>()

  #ownOf(by: string): Acknowledged[] {
    const known = this.#own.get(by) ?? this.#acked.filter((write) => write.by === by)
    this.#own.set(by, known)
    return known
  }
}
