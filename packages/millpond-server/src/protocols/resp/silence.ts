/** Answers that nobody wants: CLIENT REPLY OFF. Only messages that are no answers pass. */
import type { Reply } from '../../engine/reply.ts'

export class Silence implements Reply {
  readonly #reply: Reply
  /** Parts of a message that still pass. */
  #parts = 0

  constructor(reply: Reply) {
    this.#reply = reply
  }

  push(length: number): void {
    this.#parts = length
    this.#reply.push(length)
  }

  bulk(text: string): void {
    if (this.#passes()) this.#reply.bulk(text)
  }

  integer(value: number | bigint): void {
    if (this.#passes()) this.#reply.integer(value)
  }

  nil(): void {
    if (this.#passes()) this.#reply.nil()
  }

  ok(): void {}
  simple(): void {}
  error(): void {}
  bytes(): void {}
  nilArray(): void {}
  array(): void {}
  map(): void {}
  set(): void {}
  double(): void {}
  boolean(): void {}
  bigNumber(): void {}
  verbatim(): void {}

  #passes(): boolean {
    if (this.#parts === 0) return false
    this.#parts--
    return true
  }
}
