/**
 * The side of a relay that has the slot: tells the other processes what its session has read, in that order, and takes up what
 * they depend on. Everything that is said has a number, so who hears knows when he has missed something.
 */
import { formatLsn, type Lsn } from '../lsn.ts'
import type { SessionTap, Tapped } from '../session.ts'
import type { Commit } from '../transactions.ts'
import type { Watches } from '../watches.ts'
import type { FrameWriter } from './frames.ts'
import type { Line } from './line.ts'
import { ASKED, type Asked, decodeMessage, type RelayedTable, type RelayedWatch, type Told } from './messages.ts'

export class Feeder implements SessionTap {
  private readonly writer: FrameWriter
  private readonly watches: Watches
  private readonly leave: () => void
  private tapped: Tapped | undefined
  private toldLsn: Lsn = 0n
  private reachedLsn: Lsn = 0n
  private isScheduled = false
  private owesAnswer = false
  private isEnded = false

  constructor(line: Line, watches: Watches) {
    this.writer = line.tell()
    this.watches = watches
    this.leave = line.listen({ asked: (sender, text) => this.asked(sender, text) })
  }

  began(tapped: Tapped): void {
    this.tapped = tapped
    this.welcome()
  }

  commit({ xid, tags, endLsn }: Commit): void {
    this.toldLsn = endLsn
    this.tell('commit', xid, tags, formatLsn(endLsn))
  }

  /** Told once for all that is read in one turn. */
  advanced(lsn: Lsn): void {
    if (lsn > this.reachedLsn) this.reachedLsn = lsn
    if (this.isScheduled) return
    this.isScheduled = true
    queueMicrotask(() => this.progress())
  }

  voided(tags: readonly string[]): void {
    this.tell('void', tags)
  }

  covers(tables: readonly RelayedTable[]): void {
    this.tell('tables', relayed(tables))
  }

  end(): void {
    if (this.isEnded) return
    this.tell('end')
    this.isEnded = true
    this.leave()
  }

  private progress(): void {
    this.isScheduled = false
    if (this.reachedLsn <= this.toldLsn && !this.owesAnswer) return
    this.owesAnswer = false
    this.toldLsn = this.reachedLsn
    this.tell('progress', formatLsn(this.toldLsn))
  }

  private welcome(): void {
    if (!this.tapped) return
    const { server, visibility, tables } = this.tapped
    const lsn = visibility.watermark.position
    const commits = visibility.unsettled.entries()
    this.tell('welcome', server.systemId, server.timeline, formatLsn(lsn), relayed(tables()), commits)
  }

  private asked(sender: string, text: string): void {
    const message = decodeMessage<Asked>(text, ASKED)
    if (message?.[0] === 'hello') this.welcome()
    else if (message?.[0] === 'ping') this.ping()
    else if (message?.[0] === 'watch') this.watch(sender, message[1], message[2])
  }

  /** Who asks is told something in any case: he may be behind because he has missed the last that was told. */
  private ping(): void {
    this.owesAnswer = true
    this.tapped?.ping()
  }

  private watch(sender: string, number: number, watches: readonly RelayedWatch[]): void {
    if (!this.tapped) return
    for (const { rows, values, range } of watches) {
      const [low, high] = range ?? []
      this.watches.watch(rows).tags(values ? [values] : [], range && { low: boundOf(low), high: boundOf(high) })
    }
    this.tell('ack', sender, number)
  }

  private tell(...message: Told): void {
    if (!this.isEnded) this.writer.write(JSON.stringify(message))
  }
}

function relayed(tables: readonly RelayedTable[]): RelayedTable[] {
  return tables.map(({ schema, table, key }) => ({ schema, table, key }))
}

function boundOf(text: string | null | undefined): bigint | undefined {
  return typeof text === 'string' ? BigInt(text) : undefined
}
