/** Lists: elements in order, quick at both ends. */
import type { Collection, Kind } from '../value.ts'
import { CAPACITY_MAX, ListBlock } from './list-block.ts'

/** What an element costs beside its bytes. */
const ELEMENT_BYTES = 32
const LIST_BYTES = 210

/**
 * A list of byte strings in linked blocks of up to 128.
 *
 * Implementation note. A change at an end touches one block, one in the middle moves at most a block's elements, and a place
 * is found by stepping over blocks from the nearer end: what Redis's quicklist does. There is always at least one
 * block; others are let go when they become empty.
 */
export class List implements Collection {
  readonly type = 'list'
  readonly encoding = 'quicklist'
  size = 0
  weight: number = LIST_BYTES
  #head = new ListBlock()
  #tail: ListBlock = this.#head

  pushHead(text: string): void {
    if (this.#head.full) {
      const block = new ListBlock(true, CAPACITY_MAX)
      block.next = this.#head
      this.#head.previous = block
      this.#head = block
    }
    this.#head.pushHead(text)
    this.#count(text)
  }

  pushTail(text: string): void {
    if (this.#tail.full) {
      const block = new ListBlock(false, CAPACITY_MAX)
      this.#tail.link(block)
      this.#tail = block
    }
    this.#tail.pushTail(text)
    this.#count(text)
  }

  /** Takes the first element. Not from an empty list. */
  popHead(): string {
    const text = this.#head.popHead()
    this.#discount(text)
    if (this.#head.size === 0) this.#drop(this.#head)
    return text
  }

  /** Takes the last element. Not from an empty list. */
  popTail(): string {
    const text = this.#tail.popTail()
    this.#discount(text)
    if (this.#tail.size === 0) this.#drop(this.#tail)
    return text
  }

  /** The element at an index; below 0 counts from the end; `undefined`: there is none. */
  at(index: number): string | undefined {
    const place = index < 0 ? this.size + index : index
    if (place < 0 || place >= this.size) return undefined
    const { block, place: inBlock } = this.#seek(place)
    return block.at(inBlock)
  }

  /** Replaces the element at an index; below 0 counts from the end. Returns whether there is one. */
  set(index: number, text: string): boolean {
    const place = index < 0 ? this.size + index : index
    if (place < 0 || place >= this.size) return false
    const { block, place: inBlock } = this.#seek(place)
    this.weight += text.length - block.at(inBlock).length
    block.set(inBlock, text)
    return true
  }

  /** Puts an element before the one at `index`, which may be `size`. */
  insert(index: number, text: string): void {
    if (index === 0) this.pushHead(text)
    else if (index === this.size) this.pushTail(text)
    else {
      let { block, place } = this.#seek(index)
      if (block.full) {
        block.split()
        if (block === this.#tail) this.#tail = block.next!
        ;({ block, place } = this.#seek(index))
      }
      block.insert(place, text)
      this.#count(text)
    }
  }

  /** Removes `count` elements from `from` on. */
  removeRange(from: number, count: number): void {
    let left = count
    while (left > 0) {
      const { block, place } = this.#seek(from)
      const here = Math.min(left, block.size - place)
      for (let at = place; at < place + here; at++) this.#discount(block.at(at))
      block.remove(place, here)
      if (block.size === 0) this.#drop(block)
      left -= here
    }
  }

  /** Removes up to `count` elements that equal `text`, from the front, or `fromTail`. Returns how many. */
  removeEqual(text: string, count: number, fromTail: boolean): number {
    let removed = 0
    let block: ListBlock | undefined = fromTail ? this.#tail : this.#head
    while (block !== undefined && removed < count) {
      const following: ListBlock | undefined = fromTail ? block.previous : block.next
      removed += this.#removeIn(block, text, count - removed, fromTail)
      block = following
    }
    return removed
  }

  /** Elements from an index on to the end. The list must not change meanwhile. */
  *forward(from = 0): Generator<string> {
    if (from >= this.size) return
    const first = this.#seek(from)
    let place = first.place
    for (let block: ListBlock | undefined = first.block; block !== undefined; block = block.next) {
      for (; place < block.size; place++) yield block.at(place)
      place = 0
    }
  }

  /** Elements from an index down to the first. The list must not change meanwhile. */
  *backward(from: number = this.size - 1): Generator<string> {
    if (from < 0) return
    const last = this.#seek(from)
    let place = last.place
    for (let block: ListBlock | undefined = last.block; block !== undefined; block = block.previous) {
      for (; place >= 0; place--) yield block.at(place)
      place = (block.previous?.size ?? 0) - 1
    }
  }

  /** The elements from `from` to before `to`. */
  slice(from: number, to: number): string[] {
    const texts: string[] = []
    if (from >= to) return texts
    let { block, place }: { block: ListBlock; place: number } = this.#seek(from)
    while (texts.length < to - from) {
      if (place === block.size) {
        block = block.next!
        place = 0
      }
      texts.push(block.at(place++))
    }
    return texts
  }

  clone(): List {
    const twin = new List()
    for (const text of this.forward()) twin.pushTail(text)
    return twin
  }

  /** The block that holds the element at an index from 0 on, and its place there. */
  #seek(index: number): { block: ListBlock; place: number } {
    if (index < this.size / 2) {
      let block = this.#head
      let place = index
      for (; place >= block.size; block = block.next!) place -= block.size
      return { block, place }
    }
    let block = this.#tail
    let behind = this.size - 1 - index
    for (; behind >= block.size; block = block.previous!) behind -= block.size
    return { block, place: block.size - 1 - behind }
  }

  #removeIn(block: ListBlock, text: string, count: number, fromTail: boolean): number {
    let removed = 0
    const step = fromTail ? -1 : 1
    for (
      let place = fromTail ? block.size - 1 : 0;
      place >= 0 && place < block.size && removed < count;
      place += step
    ) {
      if (block.at(place) !== text) continue
      block.remove(place, 1)
      this.#discount(text)
      removed++
      if (!fromTail) place--
    }
    if (block.size === 0) this.#drop(block)
    return removed
  }

  #drop(block: ListBlock): void {
    if (block === this.#head && block === this.#tail) return
    if (block.previous === undefined) this.#head = block.next!
    else block.previous.next = block.next
    if (block.next === undefined) this.#tail = block.previous!
    else block.next.previous = block.previous
  }

  #count(text: string): void {
    this.size++
    this.weight += text.length + ELEMENT_BYTES
  }

  #discount(text: string): void {
    this.size--
    this.weight -= text.length + ELEMENT_BYTES
  }
}

export const LIST: Kind<List> = { type: 'list', create: () => new List() }
