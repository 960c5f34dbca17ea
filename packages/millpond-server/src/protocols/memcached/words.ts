/** The words of one line, where they lie. */

const LF = 10
const CR = 13
const SPACE = 32
/** Memory for so many words is kept; for more only while they are read. */
const KEPT_WORDS = 1024

export class Words {
  bytes: Buffer = NOTHING
  count = 0
  /** Where the line ends with its line break: what follows begins there. */
  next = 0
  #starts = new Int32Array(KEPT_WORDS)
  #ends = new Int32Array(KEPT_WORDS)

  /**
   * Reads the line that begins at `at`. `false`: its end has not come before `end`. Words are divided by spaces; a zero byte ends
   * the words of a line, as it ends a string of C.
   */
  read(bytes: Buffer, at: number, end: number): boolean {
    this.bytes = bytes
    this.count = 0
    let start = at
    let place = at
    for (; place < end; place++) {
      const byte = bytes[place]!
      if (byte > SPACE) continue
      if (byte === SPACE) {
        if (place > start) this.#add(start, place)
        start = place + 1
      } else if (byte === LF) {
        const last = place - at > 1 && bytes[place - 1] === CR ? place - 1 : place
        if (last > start) this.#add(start, last)
        this.next = place + 1
        return true
      } else if (byte === 0) break
    }
    if (place >= end) return false
    if (place > start) this.#add(start, place)
    const line = bytes.indexOf(LF, place)
    this.next = line + 1
    return line >= 0 && line < end
  }

  start(at: number): number {
    return this.#starts[at]!
  }

  end(at: number): number {
    return this.#ends[at]!
  }

  length(at: number): number {
    return this.#ends[at]! - this.#starts[at]!
  }

  /** The first byte of a word. */
  first(at: number): number {
    return this.bytes[this.#starts[at]!]!
  }

  /** A word as a byte string. */
  text(at: number): string {
    return this.bytes.toString('latin1', this.#starts[at]!, this.#ends[at]!)
  }

  /** Whether a word is this one, in the same letters. */
  is(at: number, word: string): boolean {
    const start = this.#starts[at]!
    if (at >= this.count || this.#ends[at]! - start !== word.length) return false
    for (let place = 0; place < word.length; place++) {
      if (this.bytes[start + place] !== word.charCodeAt(place)) return false
    }
    return true
  }

  /** A word is shorter than it was: it was decoded where it lies. */
  shorten(at: number, length: number): void {
    this.#ends[at] = this.#starts[at]! + length
  }

  /** Lets go of memory for many words. */
  release(): void {
    if (this.#starts.length === KEPT_WORDS) return
    this.#starts = new Int32Array(KEPT_WORDS)
    this.#ends = new Int32Array(KEPT_WORDS)
  }

  #add(start: number, end: number): void {
    if (this.count === this.#starts.length) this.#grow()
    this.#starts[this.count] = start
    this.#ends[this.count++] = end
  }

  #grow(): void {
    const [starts, ends] = [this.#starts, this.#ends]
    this.#starts = new Int32Array(starts.length * 4)
    this.#ends = new Int32Array(ends.length * 4)
    this.#starts.set(starts)
    this.#ends.set(ends)
  }
}

const NOTHING = Buffer.alloc(0)
