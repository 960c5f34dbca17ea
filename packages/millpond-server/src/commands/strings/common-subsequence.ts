/** The longest common subsequence of two strings of bytes, by the table of all their beginnings. */

/** A stretch that both strings have: where it begins in each. */
export interface CommonRange {
  readonly inOne: number
  readonly inOther: number
  readonly length: number
}

/**
 * Cell (i, j) of the table is the length of what the first i bytes of one and the first j of the other have in common.
 * Where several ways lead to the longest, the one is taken that Redis takes: going back from the end, a byte of the
 * other string is let go first.
 */
export class CommonSubsequence {
  /** Bytes in common. */
  readonly length: number
  readonly #one: Uint8Array
  readonly #other: Uint8Array
  readonly #table: Uint32Array
  readonly #width: number

  constructor(one: Uint8Array, other: Uint8Array) {
    this.#one = one
    this.#other = other
    this.#width = other.length + 1
    this.#table = new Uint32Array((one.length + 1) * this.#width)
    this.#fill()
    this.length = this.#table.at(-1)!
  }

  /** The bytes in common. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length)
    let at = 0
    for (const { inOne, length } of this.ranges().reverse()) {
      bytes.set(this.#one.subarray(inOne, inOne + length), at)
      at += length
    }
    return bytes
  }

  /** The stretches that the common bytes lie in, from the last to the first. */
  ranges(): CommonRange[] {
    const ranges: CommonRange[] = []
    let one = this.#one.length
    let other = this.#other.length
    let length = 0
    const close = (): void => {
      if (length > 0) ranges.push({ inOne: one, inOther: other, length })
      length = 0
    }
    while (one > 0 && other > 0) {
      if (this.#one[one - 1] === this.#other[other - 1]) {
        one--
        other--
        length++
      } else {
        close()
        if (this.#cell(one - 1, other) > this.#cell(one, other - 1)) one--
        else other--
      }
    }
    close()
    return ranges
  }

  #cell(one: number, other: number): number {
    return this.#table[one * this.#width + other]!
  }

  #fill(): void {
    const table = this.#table
    const width = this.#width
    for (let one = 1; one <= this.#one.length; one++) {
      const byte = this.#one[one - 1]
      for (let other = 1, at = one * width + 1; other < width; other++, at++) {
        if (byte === this.#other[other - 1]) table[at] = table[at - width - 1]! + 1
        else table[at] = Math.max(table[at - width]!, table[at - 1]!)
      }
    }
  }
}
