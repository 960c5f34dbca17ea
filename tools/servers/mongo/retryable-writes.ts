/** What writes were answered: a driver that had no answer puts the same write again, and it is not done twice. */
import { BSON } from 'mongodb'
import type { Document } from './wire.ts'

interface Answered {
  readonly txnNumber: string
  readonly reply: Document
  /** Where the log ended behind it. */
  readonly end: number
}

/** The last one of each session. As the changes themselves, it is undone where an election undoes them. */
export class RetryableWrites {
  private readonly bySession = new Map<string, Answered>()

  /** The answer of this write: what it was answered before, or else what `run` does. `end` says where the log ends. */
  once(command: Document, run: () => Document, end: () => number): Document {
    if (command.txnNumber === undefined) return run()
    const session = BSON.EJSON.stringify((command.lsid as Document).id as Document)
    const txnNumber = BSON.EJSON.stringify([command.txnNumber])
    const answered = this.bySession.get(session)
    if (answered?.txnNumber === txnNumber) return answered.reply
    const reply = run()
    this.bySession.set(session, { txnNumber, reply, end: end() })
    return reply
  }

  /** The log ends here now. */
  rollBack(end: number): void {
    for (const [session, answered] of this.bySession) if (answered.end > end) this.bySession.delete(session)
  }
}
