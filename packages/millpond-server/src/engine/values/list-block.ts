/** A stretch of a list: an array with room at both ends, linked to the stretch before and the one after. */

const CAPACITY_MIN = 4
/** A block of this many elements is full. */
export const CAPACITY_MAX = 128

/** Elements lie in `items` from `start` to `end`. */
export class ListBlock {
  items: (string | undefined)[]
  start: number
  end: number
  previous: ListBlock | undefined
  next: ListBlock | undefined

  /** An empty one; `atEnd`: with its room in front, for elements that come there. */
  constructor(atEnd = false, capacity: number = CAPACITY_MIN) {
    this.items = new Array<string | undefined>(capacity)
    this.start = this.end = atEnd ? capacity : 0
  }

  get size(): number {
    return this.end - this.start
  }

  get full(): boolean {
    return this.end - this.start === CAPACITY_MAX
  }

  /** The element at a place from 0 on. */
  at(place: number): string {
    return this.items[this.start + place]!
  }

  set(place: number, text: string): void {
    this.items[this.start + place] = text
  }

  /** Puts an element in front. Not when it is full. */
  pushHead(text: string): void {
    if (this.start === 0) this.#makeRoom(true)
    this.items[--this.start] = text
  }

  /** Puts an element at the end. Not when it is full. */
  pushTail(text: string): void {
    if (this.end === this.items.length) this.#makeRoom(false)
    this.items[this.end++] = text
  }

  popHead(): string {
    const text = this.items[this.start]!
    this.items[this.start++] = undefined
    return text
  }

  popTail(): string {
    const text = this.items[--this.end]!
    this.items[this.end] = undefined
    return text
  }

  /** Puts an element before the one at `place`. Not when it is full. */
  insert(place: number, text: string): void {
    if (this.end === this.items.length) this.#makeRoom(false)
    const at = this.start + place
    this.items.copyWithin(at + 1, at, this.end++)
    this.items[at] = text
  }

  /** Removes `count` elements from `place` on. */
  remove(place: number, count: number): void {
    this.items.copyWithin(this.start + place, this.start + place + count, this.end)
    this.items.fill(undefined, this.end - count, this.end)
    this.end -= count
  }

  /** Moves the second half to a new block behind this one. */
  split(): void {
    const half = new ListBlock(false, CAPACITY_MAX)
    const middle = this.start + (this.size >> 1)
    for (let at = middle; at < this.end; at++) half.pushTail(this.items[at]!)
    this.items.fill(undefined, middle, this.end)
    this.end = middle
    this.link(half)
  }

  /** Puts a block behind this one. */
  link(block: ListBlock): void {
    block.previous = this
    block.next = this.next
    if (this.next !== undefined) this.next.previous = block
    this.next = block
  }

  /** Larger, or, where there is enough, with the room at the other end. */
  #makeRoom(front: boolean): void {
    const size = this.size
    const capacity = Math.min(CAPACITY_MAX, size * 2 <= this.items.length ? this.items.length : this.items.length * 2)
    const items = new Array<string | undefined>(capacity)
    const start = front ? capacity - size : 0
    for (let at = 0; at < size; at++) items[start + at] = this.items[this.start + at]
    this.items = items
    this.start = start
    this.end = start + size
  }
}
