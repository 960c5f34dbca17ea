/** An answer as values: for whom bytes are of no use. */
import type { Reply } from './reply.ts'

/** Texts are byte strings; what else there is (numbers, errors) is the extension's. */
export type Gathered<More> = string | boolean | null | More | readonly Gathered<More>[]

export type GroupKind = 'list' | 'map' | 'push'

interface Open<More> {
  readonly kind: GroupKind
  readonly parts: Gathered<More>[]
  left: number
}

/** Puts the parts of answers together, however they are nested. */
export abstract class GatheredReply<More> implements Reply {
  readonly #take: (answer: Gathered<More>) => void
  readonly #open: Open<More>[] = []

  /** @param take is given each answer when it is whole */
  constructor(take: (answer: Gathered<More>) => void) {
    this.#take = take
  }

  abstract ok(): void
  abstract error(text: string): void
  abstract integer(value: number | bigint): void
  abstract double(value: number, text?: string): void
  /** A group whose parts have all come; of a map keys and values in turn. */
  protected abstract whole(kind: GroupKind, parts: readonly Gathered<More>[]): Gathered<More>

  simple(text: string): void {
    this.add(text)
  }
  bulk(text: string): void {
    this.add(text)
  }
  bytes(bytes: Uint8Array, start: number, end: number): void {
    const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.add(buffer.toString('latin1', start, end))
  }
  nil(): void {
    this.add(null)
  }
  nilArray(): void {
    this.add(null)
  }
  array(length: number): void {
    this.#begin('list', length)
  }
  map(pairs: number): void {
    this.#begin('map', pairs * 2)
  }
  set(length: number): void {
    this.#begin('list', length)
  }
  push(length: number): void {
    this.#begin('push', length)
  }
  boolean(value: boolean): void {
    this.add(value)
  }
  bigNumber(digits: string): void {
    this.add(digits)
  }
  verbatim(_format: string, text: string): void {
    this.add(text)
  }

  /** A part has come, which may be the last one of what it is in. */
  protected add(part: Gathered<More>): void {
    let value = part
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      open.parts.push(value)
      if (--open.left > 0) return
      this.#open.pop()
      value = this.whole(open.kind, open.parts)
    }
    this.#take(value)
  }

  #begin(kind: GroupKind, length: number): void {
    if (length > 0) this.#open.push({ kind, parts: [], left: length })
    else this.add(this.whole(kind, []))
  }
}
