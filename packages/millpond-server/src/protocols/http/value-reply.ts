/** An answer as plain values: what HTTP makes JSON of. */
import { formatDouble } from '../../engine/numbers.ts'
import type { Reply } from '../../engine/reply.ts'

/** The answer `+OK`, which is told apart from a value that reads so. */
export const OK: unique symbol = Symbol('OK')

/** An answer that is an error: 'ERR syntax error'. */
export class Failure {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Its first word. */
  get code(): string {
    return this.text.split(' ', 1)[0]!
  }

  /** What follows that. */
  get message(): string {
    return this.text.slice(this.code.length + 1)
  }
}

/** Keys and values in turn. */
export class Pairs {
  readonly parts: readonly Value[]

  constructor(parts: readonly Value[]) {
    this.parts = parts
  }
}

/** Texts are byte strings. */
export type Value = string | number | bigint | boolean | null | typeof OK | Failure | Pairs | readonly Value[]

interface Open {
  readonly parts: Value[]
  left: number
  readonly isMap: boolean
}

/** Takes answers, one after the other. */
export class ValueReply implements Reply {
  readonly #take: (value: Value) => void
  readonly #open: Open[] = []

  /** @param take is given each answer when it is whole */
  constructor(take: (value: Value) => void) {
    this.#take = take
  }

  ok(): void {
    this.#add(OK)
  }
  simple(text: string): void {
    this.#add(text)
  }
  error(text: string): void {
    this.#add(new Failure(text))
  }
  integer(value: number | bigint): void {
    this.#add(value)
  }
  bulk(text: string): void {
    this.#add(text)
  }
  bytes(bytes: Uint8Array, start: number, end: number): void {
    const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#add(buffer.toString('latin1', start, end))
  }
  nil(): void {
    this.#add(null)
  }
  nilArray(): void {
    this.#add(null)
  }
  array(length: number): void {
    this.#begin(length, false)
  }
  map(pairs: number): void {
    this.#begin(pairs * 2, true)
  }
  set(length: number): void {
    this.array(length)
  }
  push(length: number): void {
    this.array(length)
  }
  double(value: number, text: string = formatDouble(value)): void {
    this.#add(text)
  }
  boolean(value: boolean): void {
    this.#add(value)
  }
  bigNumber(digits: string): void {
    this.#add(digits)
  }
  verbatim(_format: string, text: string): void {
    this.#add(text)
  }

  #begin(length: number, isMap: boolean): void {
    if (length > 0) this.#open.push({ parts: [], left: length, isMap })
    else this.#add(isMap ? new Pairs([]) : [])
  }

  #add(value: Value): void {
    let whole = value
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      open.parts.push(whole)
      if (--open.left > 0) return
      this.#open.pop()
      whole = open.isMap ? new Pairs(open.parts) : open.parts
    }
    this.#take(whole)
  }
}
