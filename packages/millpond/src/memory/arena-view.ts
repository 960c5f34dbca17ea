/**
 * A value in an arena, read in place: `bytes` from `start` to `end`. The table has one view and changes it with each
 * `get`, so it says nothing any more once another method of the table was called. Do not write into `bytes`: it is
 * the arena itself. Where that cannot be (several threads share the arena, or a long value lies in several places), it
 * is a copy that the table keeps for this purpose.
 */
export class ArenaView {
  bytes: Uint8Array = NOTHING
  start = 0
  end = 0
  /** The word that was set with the value. */
  flags = 0
  /** The number of the object that the entry refers to in place of a value; 0: it has a value. */
  number = 0
  /** When the entry expires, in the table's time; Infinity: never. */
  expiresAtMs: number = Number.POSITIVE_INFINITY

  get length(): number {
    return this.end - this.start
  }

  /** A copy that stays as it is. */
  copy(): Uint8Array {
    return this.bytes.slice(this.start, this.end)
  }

  /** The value as text in UTF-8. */
  toString(): string {
    return TEXT.decode(this.bytes.slice(this.start, this.end))
  }
}

const NOTHING = new Uint8Array(0)
const TEXT = new TextDecoder()
