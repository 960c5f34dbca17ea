/**
 * What is known of one connection: whether a transaction is open, and whether its session still means what the others'
 * do. Only an idle one with the usual settings may be answered from the cache, or fill it. Its statements run one after
 * the other, as `pg` runs them anyway, so that the state is known when each begins.
 */
import type { PgPoolClient } from './pg-pool.ts'

export class ConnectionState {
  /** As the server says after each statement: 'I' idle, 'T' in a transaction, 'E' in a failed one. */
  private status = 'I'
  private isChanged = false
  private readonly isWatched: boolean
  private last: Promise<unknown> = Promise.resolve()

  constructor({ connection }: PgPoolClient) {
    this.isWatched = connection !== undefined
    connection?.on('readyForQuery', ({ status }) => {
      this.status = status
    })
  }

  /** Idle, with the settings that it had. */
  get isPlain(): boolean {
    return this.isWatched && this.status === 'I' && !this.isChanged
  }

  /** Runs a call when those before it have ended. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.last.then(run)
    this.last = result.catch(() => {})
    return result
  }

  /** The text was sent on this connection: it may have changed what later ones mean. */
  noteSent(text: string): void {
    if (RESETS.test(text)) this.isChanged = false
    else if (SETS.test(text)) this.isChanged = true
  }
}

/** Statements, and a function, that change settings of the session; several statements in one text included. */
const SETS =
  /(^|;)\s*(set(?!\s+(local|transaction|constraints)\b)|reset|listen|load|create\s+(local\s+|global\s+)?temp)|\bset_config\s*\(/i
const RESETS = /^\s*(discard|reset)\s+all\s*;?\s*$/i

/** The states of a pool's connections. */
export class ConnectionStates {
  private readonly states = new WeakMap<PgPoolClient, ConnectionState>()

  of(client: PgPoolClient): ConnectionState {
    const state = this.states.get(client) ?? new ConnectionState(client)
    this.states.set(client, state)
    return state
  }
}
