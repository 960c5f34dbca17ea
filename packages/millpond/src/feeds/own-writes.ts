/**
 * What this process has written through the pool: reads that come after are not answered from what is older. The
 * position of a write is asked for only when somebody reads, by one query for all writes until then.
 */
import type { Position } from '../core/feed.ts'
import { SharedQuestion } from './shared-question.ts'

export class OwnWrites {
  private readonly question: SharedQuestion<void>
  private written = 0
  private covered = 0
  private position: Position | undefined

  /** @param present asks for a position that covers everything committed until then */
  constructor(present: () => Promise<Position>) {
    this.question = new SharedQuestion(async () => {
      const { written } = this
      this.position = await present()
      this.covered = written
    })
  }

  /** Something may have been committed. */
  wrote(): void {
    this.written++
  }

  /** Whether no reader has to be kept from what is older: nothing was written, or all of it is old news. */
  get isOldNews(): boolean {
    return this.covered === this.written && this.position === undefined
  }

  /** A position that covers every write so far; `undefined` when nothing was written, or `includes` says that it is old news. */
  async floor(includes: (position: Position) => boolean): Promise<Position | undefined> {
    if (this.covered < this.written) await this.question.ask()
    if (this.position !== undefined && includes(this.position)) this.position = undefined
    return this.position
  }
}
