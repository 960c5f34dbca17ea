/** What a worker must know of the client that home has for one of its peers, as one number. */
import type { Client } from '../commands/client.ts'
import { CLIENT_MODE } from '../commands/modes.ts'

const PLAIN = 1
const RESP3 = 2
const SUBSCRIBED = 4
const DATABASE_SHIFT = 8

/**
 * A plain client is one whose next command depends on nothing but the database: not in a transaction, not subscribed, not waiting,
 * allowed everything, wanting every answer, in the cache that is shared.
 */
export function stateOf(client: Client, isPlain: boolean): number {
  return (
    (isPlain ? PLAIN : 0) |
    (client.protocol === 3 ? RESP3 : 0) |
    ((client.modes & CLIENT_MODE.SUBSCRIBED) !== 0 ? SUBSCRIBED : 0) |
    (client.db.index << DATABASE_SHIFT)
  )
}

export function isPlain(state: number): boolean {
  return (state & PLAIN) !== 0
}

export function protocolOf(state: number): 2 | 3 {
  return (state & RESP3) !== 0 ? 3 : 2
}

export function isSubscribed(state: number): boolean {
  return (state & SUBSCRIBED) !== 0
}

export function databaseOf(state: number): number {
  return state >>> DATABASE_SHIFT
}
