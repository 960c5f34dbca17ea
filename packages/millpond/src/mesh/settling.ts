/** Who waits for messages to be acknowledged. */
export class Settling {
  readonly #waiting: Waiting[] = []
  #acknowledged = 0
  #failure: Error | undefined

  /** Resolves when everything up to the message with this number has been acknowledged; rejects where that will not be told any more. */
  reach(seq: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (seq <= this.#acknowledged) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ seq, resolve, reject }))
  }

  acknowledged(seq: number): void {
    if (seq <= this.#acknowledged) return
    this.#acknowledged = seq
    for (let at = this.#waiting.length - 1; at >= 0; at--)
      if (this.#waiting[at]!.seq <= seq) this.#waiting.splice(at, 1)[0]!.resolve()
  }

  /** Nothing is acknowledged from now on. */
  fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

interface Waiting {
  readonly seq: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}
