/** What a client has queued between MULTI and EXEC. */
import type { Arguments } from '../../engine/arguments.ts'
import type { CommandEntry } from '../command-table.ts'

export interface QueuedCommand {
  readonly entry: CommandEntry
  readonly args: Arguments
}

export class Transaction {
  readonly commands: QueuedCommand[] = []
  /** Something could not be queued: EXEC will do nothing. */
  failed = false
  /** Bytes of what is queued. */
  bytes = 0

  queue(entry: CommandEntry, args: Arguments): void {
    const kept = args.keep()
    this.bytes += kept.bytes.length
    this.commands.push({ entry, args: kept })
  }

  /** Whether one of the commands is such. */
  some(test: (entry: CommandEntry, args: Arguments) => boolean): boolean {
    return this.commands.some(({ entry, args }) => test(entry, args))
  }
}
