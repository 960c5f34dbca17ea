/** A bounded number of places. Who finds none waits, and gets one in the order of coming. */
export class Room {
  readonly #size: number
  #taken = 0
  #queue: { enter: () => void; refuse: (error: unknown) => void }[] = []

  constructor(size: number) {
    this.#size = size
  }

  get taken(): number {
    return this.#taken
  }

  /** Takes a place. `sharing`: the place will be given back at once, so a full room does not matter; order does. */
  enter(sharing: boolean): Promise<void> | undefined {
    if (this.#queue.length > 0 || (this.#taken >= this.#size && !sharing)) {
      return new Promise((enter, refuse) => this.#queue.push({ enter, refuse }))
    }
    this.#taken++
    return undefined
  }

  leave(): void {
    this.#taken--
    while (this.#taken < this.#size && this.#queue.length > 0) {
      this.#taken++
      this.#queue.shift()!.enter()
    }
  }

  /** Refuses all who wait. */
  close(error: unknown): void {
    for (const waiter of this.#queue.splice(0)) waiter.refuse(error)
  }
}
