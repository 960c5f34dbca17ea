/** How far a connection's bytes were read. */
import type { HalfParser } from '../half-read.ts'

export class Cursor implements HalfParser {
  /** Where the unread begins: a request. */
  at = 0
  /** To where its first line was searched for its end. */
  searched = 0
  /** To where bytes are needed before it can be read; 0: that is not known. */
  wanted = 0
  /** Bytes to pass over, of a value that was refused. */
  skip = 0

  get from(): number {
    return this.at
  }

  start(at: number): void {
    this.at = this.searched = at
    this.wanted = 0
  }

  move(_bytes: Buffer, delta: number): void {
    this.at += delta
    this.searched += delta
    if (this.wanted > 0) this.wanted += delta
  }

  /** The next request begins here. */
  next(at: number): void {
    this.at = this.searched = at
    this.wanted = 0
  }
}
