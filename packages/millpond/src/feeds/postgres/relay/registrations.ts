/**
 * Tells the feeder which rows this process depends on. One message is under way at a time, and is sent again until it is
 * acknowledged; the acknowledgement comes in the order of the commits. Until then the follower takes any change of the table for
 * a change of the rows, so nobody has to wait.
 */
import type { Clock, Timer } from '../../../core/clock.ts'
import type { WatchedRows } from '../watched-rows.ts'
import type { Watches } from '../watches.ts'
import type { RelayedWatch } from './messages.ts'

export interface RegistrationsOptions {
  readonly watches: Watches
  readonly clock: Clock
  readonly send: (number: number, watches: readonly RelayedWatch[]) => void
}

/** More than so many do not go into one message. */
const BATCH_MAX = 100
const AGAIN_MS = 200

export class Registrations {
  /** The feeder knows everything up to this number of `Watches.sequence`. */
  acknowledged = 0
  private readonly options: RegistrationsOptions
  private underWay: { readonly number: number; readonly upTo: number } | undefined
  private count = 0
  private timer: Timer | undefined
  private isStopped = false

  constructor(options: RegistrationsOptions) {
    this.options = options
  }

  /** There may be more to tell. */
  changed(): void {
    if (this.underWay || this.isStopped) return
    // What a query names in one turn goes together.
    this.underWay = { number: ++this.count, upTo: this.acknowledged }
    queueMicrotask(() => this.send())
  }

  /** The feeder knows what was in that message. */
  ack(number: number): void {
    if (this.underWay?.number !== number) return
    this.acknowledged = this.underWay.upTo
    this.timer?.cancel()
    this.underWay = undefined
    if (this.options.watches.sequence > this.acknowledged) this.changed()
  }

  /** The tags that a commit concerns besides those that the feeder gave: it does not know all that is watched here. */
  unknownTags(tags: readonly string[]): string[] {
    return tags.flatMap((tag) => [...this.options.watches.tagsSince(tag, this.acknowledged)])
  }

  stop(): void {
    this.isStopped = true
    this.timer?.cancel()
  }

  private send(): void {
    if (this.isStopped) return
    const { watches, clock, send } = this.options
    const entries = entriesSince(watches, this.acknowledged)
    const batch = entries.slice(0, BATCH_MAX)
    const number = ++this.count
    // What has been forgotten since then needs nobody to know it.
    this.underWay = { number, upTo: batch.length < entries.length ? batch.at(-1)!.at : watches.sequence }
    send(
      number,
      batch.map(({ watch }) => watch),
    )
    this.timer = clock.after(AGAIN_MS, () => this.send())
  }
}

interface Entry {
  readonly at: number
  readonly watch: RelayedWatch
}

function entriesSince(watches: Watches, sequence: number): Entry[] {
  const entries: Entry[] = []
  for (const watch of watches.all()) {
    const rows: WatchedRows = watch.rows
    if (watch.begunAt > sequence) entries.push({ at: watch.begunAt, watch: { rows } })
    for (const { values, low, high, namedAt } of watch.namedSince(sequence))
      entries.push({ at: namedAt, watch: { rows, values, range: [textOf(low), textOf(high)] } })
  }
  return entries.toSorted((one, other) => one.at - other.at)
}

function textOf(bound: bigint | undefined): string | null {
  return bound === undefined ? null : String(bound)
}
