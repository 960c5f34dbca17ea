/** How an epoch of a feed ends: with the first thing that breaks, or in order. */

/** The end of an epoch that was asked to end. */
export class SessionClosed extends Error {
  constructor() {
    super('closed')
  }
}

/** A promise with its ends in hand; the first one wins, and nobody has to wait for it. */
export class Failure {
  readonly promise: Promise<never>
  private fail!: (error: Error) => void

  constructor() {
    this.promise = new Promise((_, reject) => {
      this.fail = reject
    })
    this.promise.catch(() => {})
  }

  readonly raise = (error: Error): void => this.fail(error)
}
