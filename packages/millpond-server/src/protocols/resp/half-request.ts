/** A request that is half-read: its parser, and the words that it has found so far. */
import type { Arguments } from '../../engine/arguments.ts'
import type { HalfParser } from '../half-read.ts'
import type { RequestParser } from './request-parser.ts'

export class HalfRequest implements HalfParser {
  readonly #parser: RequestParser
  readonly #args: Arguments

  constructor(parser: RequestParser, args: Arguments) {
    this.#parser = parser
    this.#args = args
  }

  get from(): number {
    return this.#parser.from
  }

  get wanted(): number {
    return this.#parser.at + this.#parser.needed
  }

  start(at: number): void {
    this.#parser.start(at)
  }

  move(bytes: Buffer, delta: number): void {
    this.#parser.move(delta)
    this.#args.move(bytes, delta)
  }
}
