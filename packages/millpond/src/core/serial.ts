/** Runs work of one key one after the other, in the order of the calls; work of different keys runs side by side. */
export class Serial {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Resolves and rejects as `work` does. What came before it and failed does not matter. */
  run<R>(key: string, work: () => Promise<R>): Promise<R> {
    const before = this.#tails.get(key)
    const result = before ? before.then(work) : work()
    const tail = result.then(ignore, ignore)
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    return result
  }
}

function ignore(): void {}
