/**
 * What is known of one connection: whether a transaction is open, whether something is under way, and whether its session
 * still means what the others' do. Only an idle one with the usual settings may be answered from the cache, or fill it.
 */
import type { PgPoolClient } from './pg-pool.ts'

/** What a statement may do besides giving rows. */
export interface Effect {
  readonly mayWrite: boolean
  /** Settings, temporary tables: what later statements of the connection mean. */
  readonly mayChangeSession: boolean
}

export class ConnectionState {
  /** As the server says after each statement: 'I' idle, 'T' in a transaction, 'E' in a failed one. */
  private status: string
  /** Statements of whose end the server has not told. */
  private sent = 0
  private mayHaveWritten = false
  private readonly isWatched: boolean
  private last: Promise<unknown> = Promise.resolve()
  private waiting = 0
  /** Its settings may be others than they were. */
  isChanged = false

  /** @param wrote called when something that was sent may have been committed */
  constructor(client: PgPoolClient, wrote: () => void) {
    this.status = client.getTransactionStatus?.() ?? 'I'
    this.isWatched = client.connection !== undefined
    const committed = (): void => {
      if (this.mayHaveWritten) wrote()
    }
    client.connection?.on('readyForQuery', ({ status }) => {
      this.status = status
      this.sent = Math.max(0, this.sent - 1)
      if (status !== 'I') return
      committed()
      if (this.sent === 0) this.mayHaveWritten = false
    })
    // Whether a COMMIT whose answer was lost took effect nobody knows.
    client.on?.('end', committed)
  }

  /** Idle, outside of a transaction. */
  get isIdle(): boolean {
    return this.isWatched && this.status === 'I' && this.sent === 0
  }

  /** Runs a read when everything before it has been sent; what comes after waits for its end, so that the order is kept. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.waiting++
    const result = this.last.then(run)
    this.last = result.catch(() => {}).finally(() => this.waiting--)
    return result
  }

  /** Sends a statement: at once, as `pg` does, unless a read is under way. Then it gives `otherwise`, or a promise. */
  send(effect: Effect, run: () => unknown, otherwise: { readonly value: unknown } | undefined): unknown {
    const send = (): unknown => {
      this.sent++
      this.noteSent(effect)
      return run()
    }
    if (this.waiting === 0) return send()
    // The turn ends when it is sent, not when it is answered.
    const sent = this.inTurn(async () => ({ answer: send() }))
    if (!otherwise) return sent.then(({ answer }) => answer)
    sent.catch(() => {})
    return otherwise.value
  }

  noteSent({ mayWrite, mayChangeSession }: Effect): void {
    if (mayWrite) this.mayHaveWritten = true
    if (mayChangeSession) this.isChanged = true
  }
}

/** The states of a pool's connections. */
export class ConnectionStates {
  private readonly states = new WeakMap<PgPoolClient, ConnectionState>()
  private readonly wrote: () => void

  constructor(wrote: () => void) {
    this.wrote = wrote
  }

  of(client: PgPoolClient): ConnectionState {
    const state = this.states.get(client) ?? new ConnectionState(client, this.wrote)
    this.states.set(client, state)
    return state
  }
}
