/** Transactions that are open: what each sees, and what it has changed, which the log takes at once when it commits. */
import { BSON } from 'mongodb'
import { CommandError } from './command-error.ts'
import type { Databases } from './databases.ts'
import type { Change } from './oplog.ts'
import type { Document } from './wire.ts'
import type { WriteTarget } from './writes.ts'

class Transaction implements WriteTarget {
  readonly data: Databases
  readonly changes: Change[] = []

  constructor(data: Databases) {
    this.data = data
  }

  write(change: Change): void {
    this.data.apply(change)
    this.changes.push(change)
  }
}

export class Transactions {
  private readonly open = new Map<string, Transaction>()

  /** The transaction that a command belongs to; it begins with its first command. */
  of(command: Document, data: Databases): Transaction | undefined {
    if (command.autocommit !== false) return undefined
    const key = keyOf(command)
    if (command.startTransaction === true) this.open.set(key, new Transaction(data.fork()))
    const found = this.open.get(key)
    if (!found) throw noSuchTransaction()
    return found
  }

  /** What a command of a transaction reads, or else `data`. */
  dataOf(command: Document, data: Databases): Databases {
    const isEnd = 'commitTransaction' in command || 'abortTransaction' in command
    return isEnd ? data : (this.of(command, data)?.data ?? data)
  }

  /** Ends it, and returns what it has changed. */
  end(command: Document): readonly Change[] {
    const key = keyOf(command)
    const found = this.open.get(key)
    if (!found) throw noSuchTransaction()
    this.open.delete(key)
    return found.changes
  }
}

function keyOf(command: Document): string {
  return BSON.EJSON.stringify([(command.lsid as Document).id, command.txnNumber])
}

function noSuchTransaction(): CommandError {
  return new CommandError(251, 'NoSuchTransaction', 'no such transaction', ['TransientTransactionError'])
}
