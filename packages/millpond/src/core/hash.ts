import { seededRandom } from './random.ts'

/**
 * A keyed hash of strings to 32 well mixed bits. The multipliers are secret, so nobody can choose keys that collide.
 *
 * Two characters a step, and two multiplications: after a single one, a difference in the top bit would stay a difference in
 * the top bit whatever the multiplier is, and the next character could cancel it for every seed. It protects a table from flooding; it is no
 * cryptographic hash. Every character is read: a key is hashed at about the speed at which it can be compared.
 */
export class StringHash {
  readonly #start: number
  readonly #first: number
  readonly #second: number

  /** @param seed the same seed gives the same hashes, for tests. Default: random. */
  constructor(seed?: number) {
    if (seed === undefined) {
      const [start, first, second] = crypto.getRandomValues(new Int32Array(3))
      this.#start = start!
      this.#first = first! | 1
      this.#second = second! | 1
    } else {
      const random = seededRandom(seed)
      this.#start = (random() * 2 ** 32) | 0
      this.#first = (random() * 2 ** 32) | 1
      this.#second = (random() * 2 ** 32) | 1
    }
  }

  of(text: string): number {
    const first = this.#first
    const second = this.#second
    const last = text.length - 1
    let hash = this.#start ^ text.length
    let at = 0
    for (; at < last; at += 2) {
      hash = Math.imul(hash ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), first)
      hash = Math.imul(hash ^ (hash >>> 15), second)
    }
    if (at === last) {
      hash = Math.imul(hash ^ text.charCodeAt(at), first)
      hash = Math.imul(hash ^ (hash >>> 15), second)
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
    return hash ^ (hash >>> 15)
  }
}
