import { Ghost } from '../ghost.ts'
import type { PolicyFactory, PolicyShape } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/**
 * S3-FIFO: three queues and no lists that a hit would have to reorder. Newcomers go through a small queue of a tenth of the
 * table; those used more than once on their way go on to the main queue, the others leave and are remembered. What
 * comes back while it is remembered goes to the main queue at once, which gives each use a second chance.
 *
 * Yang, Zhang, Qiu, Yue and Rashmi, "FIFO Queues are All You Need for Cache Eviction", SOSP 2023.
 */
class S3Fifo extends SlotLists {
  readonly #ghost: Ghost

  constructor(shape: PolicyShape, memory: ArrayBufferLike, byteOffset: number) {
    super(shape, memory, byteOffset)
    const words = new Int32Array(memory, byteOffset + SlotLists.bytes(shape), Ghost.words(shape.slots))
    this.#ghost = new Ghost(words, this.state.subarray(GHOST, GHOST + 1))
  }

  insert(slot: number, hash: number, weight: number): void {
    const at = this.#ghost.find(hash, this.count(SMALL) + this.count(MAIN))
    if (at >= 0) this.#ghost.forget(at)
    this.enter(at >= 0 ? MAIN : SMALL, slot, hash, weight, 0)
  }

  hit(slot: number): void {
    const at = (slot + HEADS) * 4 + 3
    const meta = this.links[at]!
    if (meta >>> 2 < 3) this.links[at] = meta + ONE_USE
  }

  evict(_hash: number, weight: number): number {
    const smallMax = SMALL_SHARE * (this.weight + weight)
    for (;;) {
      if (this.count(SMALL) > 0 && (this.sum(SMALL) >= smallMax || this.count(MAIN) === 0)) {
        const place = this.last(SMALL)
        if (this.#uses(place) <= 1) {
          this.#ghost.add(this.links[place * 4 + 2]!, 0)
          return this.leave(place)
        }
        this.unlink(place)
        this.link(MAIN, place, 0)
        continue
      }
      if (this.count(MAIN) === 0) return -1
      const place = this.last(MAIN)
      const uses = this.#uses(place)
      if (uses === 0) return this.leave(place)
      this.unlink(place)
      this.link(MAIN, place, (uses - 1) * ONE_USE)
    }
  }

  /** Uses since it entered its queue, up to three. */
  #uses(place: number): number {
    return this.links[place * 4 + 3]! >>> 2
  }
}

/** S3-FIFO. 20 to 24 bytes a slot. */
export const s3Fifo: PolicyFactory = {
  name: 's3-fifo',
  bytes: (shape) => SlotLists.bytes(shape) + 4 * Ghost.words(shape.slots),
  create: (shape, memory, byteOffset) => new S3Fifo(shape, memory, byteOffset),
}

/** Lists, from hot to cold. */
const MAIN = 0
const SMALL = 1
const SMALL_SHARE = 0.1
const ONE_USE = 4
/** Word of state. */
const GHOST = 0
