/** Adds to a number under a key, or takes from it: what the text commands, meta and binary have in common. */
import { ReplyError } from '../../engine/errors.ts'
import type { Exchange } from './exchange.ts'
import type { Sum } from './items.ts'

/** What a request to add came to. MADE: there was no number, and now there is one. */
export type AddOutcome = Sum | 'MADE' | 'OUT_OF_MEMORY' | 'put off'

/** Filled for each request; `add` reads it. */
export const ADDITION = {
  delta: 0n,
  /** Whether it is added; else it is taken. */
  up: true,
  /** The number that the item must have; 0: any. */
  cas: 0,
  /** Whether the client is told the new number. */
  wantsCas: false,
  /** When a number expires that is made where there is none; below 0: none is made. */
  vivifyAtMs: -1,
  initial: 0n,
}

/** Does `ADDITION` to the key of the exchange. What was begun is to be ended by `finish`, once it is answered. */
export function add(exchange: Exchange): AddOutcome {
  const { client, items, key } = exchange
  const { delta, up, cas, wantsCas, vivifyAtMs, initial } = ADDITION
  try {
    if (!exchange.begin(exchange.entry(up ? 'incrby' : 'decrby'))) return 'put off'
    const sum = items.add(client, key, delta, up, cas, wantsCas)
    if (sum === 'NOT_FOUND' && vivifyAtMs >= 0) {
      items.sum = String(initial)
      items.vivify(client, key, vivifyAtMs, wantsCas, Buffer.from(items.sum))
      return 'MADE'
    }
    count(exchange, sum, up)
    return sum
  } catch (error) {
    if (!(error instanceof ReplyError) || error.code !== 'OOM') throw error
    return 'OUT_OF_MEMORY'
  }
}

function count({ state: { counters } }: Exchange, sum: Sum, up: boolean): void {
  if (sum === 'OK') counters[up ? 'incr_hits' : 'decr_hits']++
  else if (sum === 'NOT_FOUND') counters[up ? 'incr_misses' : 'decr_misses']++
}
