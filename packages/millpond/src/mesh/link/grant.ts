/**
 * How many datagrams a sender may have under way to here. Where a third of some are missing, a buffer was full: the sender
 * gets half. When as many as it may send have come without that, it gets 64 more. A network that loses less than a third
 * at random does not slow anybody down.
 */
export class Grant {
  datagrams: number
  readonly #most: number
  #came = 0
  #missed = 0
  #inOrder = 0

  constructor(most: number) {
    this.datagrams = this.#most = most
  }

  /** A new datagram came, and `missed` before it were seen to be missing. */
  came(missed: number): void {
    this.#came++
    this.#missed += missed
    const seen = this.#came + this.#missed
    if (seen < SAMPLE) return
    if (this.#missed * 3 > seen) {
      this.datagrams = Math.max(LEAST, this.datagrams >> 1)
      this.#inOrder = 0
    } else if ((this.#inOrder += seen) >= this.datagrams) {
      this.datagrams = Math.min(this.#most, this.datagrams + STEP)
      this.#inOrder = 0
    }
    this.#came = this.#missed = 0
  }
}

/** So many are judged at once. */
const SAMPLE = 64
/** A buffer of stock Linux takes some 50 long datagrams. */
const LEAST = 16
const STEP = 64
