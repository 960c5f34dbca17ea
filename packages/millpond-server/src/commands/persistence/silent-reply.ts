/** Answers that nobody waits for: of commands that a log holds. */
import type { Reply } from '../../engine/reply.ts'

export class SilentReply implements Reply {
  /** The last error. */
  fault: string | undefined

  error(text: string): void {
    this.fault = text
  }
  ok(): void {}
  simple(): void {}
  integer(): void {}
  bulk(): void {}
  bytes(): void {}
  nil(): void {}
  nilArray(): void {}
  array(): void {}
  map(): void {}
  set(): void {}
  push(): void {}
  double(): void {}
  boolean(): void {}
  bigNumber(): void {}
  verbatim(): void {}
}
