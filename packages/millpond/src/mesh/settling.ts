/** Who waits for messages to be acknowledged. */
export class Settling {
  readonly #waiting: Waiting[] = []
  #acknowledged = 0

  /** Resolves when everything up to the message with this number has been acknowledged. */
  reach(seq: number): Promise<void> {
    if (seq <= this.#acknowledged) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ seq, resolve, reject }))
  }

  acknowledged(seq: number): void {
    if (seq <= this.#acknowledged) return
    this.#acknowledged = seq
    for (let at = this.#waiting.length - 1; at >= 0; at--)
      if (this.#waiting[at]!.seq <= seq) this.#waiting.splice(at, 1)[0]!.resolve()
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

interface Waiting {
  readonly seq: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}
