/** Copies short stretches of bytes between memories that come again and again, four bytes at a time. */

/** Below this a loop over bytes is as fast. */
const WORDS_FROM = 12
/** From here on a call into the engine is faster, although it makes an object first. */
const WORDS_TO = 192

/**
 * `set` costs as much as copying two hundred bytes by words, because it needs a view of its source. Words at any place are read
 * through a `DataView`, and that is made when the same memory comes a second time: a table's bytes, a socket's buffer.
 */
export class ByteCopier {
  #source: Uint8Array = NOTHING
  #sourceWords: DataView = NO_WORDS
  #target: Uint8Array = NOTHING
  #targetWords: DataView = NO_WORDS

  /** Copies `length` bytes; the two stretches do not overlap. */
  copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
    if (length < WORDS_FROM) for (let at = 0; at < length; at++) target[to + at] = source[from + at]!
    else if (length < WORDS_TO && this.#knows(source, target)) this.#copyWords(source, from, target, to, length)
    else target.set(source.subarray(from, from + length), to)
  }

  #copyWords(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
    const sourceWords = this.#sourceWords
    const targetWords = this.#targetWords
    let at = 0
    for (const end = length - 15; at < end; at += 16) {
      targetWords.setInt32(to + at, sourceWords.getInt32(from + at, true), true)
      targetWords.setInt32(to + at + 4, sourceWords.getInt32(from + at + 4, true), true)
      targetWords.setInt32(to + at + 8, sourceWords.getInt32(from + at + 8, true), true)
      targetWords.setInt32(to + at + 12, sourceWords.getInt32(from + at + 12, true), true)
    }
    for (const end = length - 3; at < end; at += 4) {
      targetWords.setInt32(to + at, sourceWords.getInt32(from + at, true), true)
    }
    for (; at < length; at++) target[to + at] = source[from + at]!
  }

  /** Whether there are views of both. */
  #knows(source: Uint8Array, target: Uint8Array): boolean {
    if (source === this.#source && target === this.#target) {
      if (this.#sourceWords === NO_WORDS) this.#sourceWords = wordsOf(source)
      if (this.#targetWords === NO_WORDS) this.#targetWords = wordsOf(target)
      return true
    }
    if (source !== this.#source) {
      this.#source = source
      this.#sourceWords = NO_WORDS
    }
    if (target !== this.#target) {
      this.#target = target
      this.#targetWords = NO_WORDS
    }
    return false
  }
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length)
}

const NOTHING = new Uint8Array(0)
const NO_WORDS = new DataView(new ArrayBuffer(0))
