/**
 * Keys whose load waits for a connection of the pool. Who holds a connection must not wait for such a load: it may wait for
 * the very connection that he holds.
 */
export class Waiting {
  private readonly loads = new Map<string, number>()
  private readonly holders = new Map<string, Set<() => void>>()

  /** A load waits. Call what is returned when it has its connection, or has failed. */
  begin(key: string): () => void {
    const { loads } = this
    loads.set(key, (loads.get(key) ?? 0) + 1)
    for (const giveUp of this.holders.get(key) ?? []) giveUp()
    let isWaiting = true
    return () => {
      if (!isWaiting) return
      isWaiting = false
      const count = loads.get(key)! - 1
      if (count === 0) loads.delete(key)
      else loads.set(key, count)
    }
  }

  /** What `run` gives; `undefined` as soon as a load of the key waits for a connection. */
  async unless<T>(key: string, run: () => Promise<T>): Promise<T | undefined> {
    if (this.loads.has(key)) return undefined
    const holders = this.holders.get(key) ?? new Set<() => void>()
    this.holders.set(key, holders)
    let giveUp!: () => void
    const waits = new Promise<undefined>((resolve) => {
      giveUp = () => resolve(undefined)
    })
    holders.add(giveUp)
    const answer = run()
    // Nobody may be left to hear of its failure.
    answer.catch(() => {})
    try {
      return await Promise.race([answer, waits])
    } finally {
      holders.delete(giveUp)
      if (holders.size === 0 && this.holders.get(key) === holders) this.holders.delete(key)
    }
  }
}
