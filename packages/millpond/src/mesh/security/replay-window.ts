/**
 * Which packet numbers of one incarnation were seen: a sliding bitmap (RFC 6479). Numbers below the window count as seen,
 * so a datagram is taken once at most, whenever it comes.
 */
export class ReplayWindow {
  readonly #words = new Int32Array(WINDOW_BITS / 32)
  #highest = 0

  /** Whether a number was seen, or is too old to tell. */
  has(number: number): boolean {
    if (number > this.#highest) return false
    if (number <= this.#highest - WINDOW_BITS) return true
    const bit = number % WINDOW_BITS
    return (this.#words[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }

  /** Notes a number that was authenticated. */
  add(number: number): void {
    if (number > this.#highest) this.#slide(number)
    else if (number <= this.#highest - WINDOW_BITS) return
    const bit = number % WINDOW_BITS
    this.#words[bit >>> 5]! |= 1 << (bit & 31)
  }

  #slide(highest: number): void {
    if (highest - this.#highest >= WINDOW_BITS) this.#words.fill(0)
    else for (let number = this.#highest + 1; number <= highest; number++) this.#forget(number % WINDOW_BITS)
    this.#highest = highest
  }

  #forget(bit: number): void {
    this.#words[bit >>> 5]! &= ~(1 << (bit & 31))
  }
}

/** Eight times the ring of the link: what else a peer sends takes numbers too. 8 KiB a peer. */
const WINDOW_BITS = 65_536
