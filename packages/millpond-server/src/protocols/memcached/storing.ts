/** Stores the value of a request: what the text commands, meta and binary have in common. */
import { removeKey } from '../../commands/key-changes.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Exchange, Served } from './exchange.ts'
import type { Stored, StoreMode, StoreRequest } from './items.ts'

/** What a request to store came to. */
export type StoreOutcome = Stored | 'OUT_OF_MEMORY' | 'put off'

/** Filled for each request; the calls below read it. */
export const REQUEST: StoreRequest = {
  mode: 'set',
  clientFlags: 0,
  expiresAtMs: 0,
  bytes: Buffer.alloc(0),
  start: 0,
  end: 0,
  cas: 0,
  wantsCas: false,
  invalidates: false,
  bits: 0,
}

/** The Redis commands that storing is taken for. */
export const STORE_AS: Readonly<Record<StoreMode, string>> = {
  set: 'set',
  add: 'set',
  replace: 'set',
  cas: 'set',
  append: 'append',
  prepend: 'append',
}

/** Stores `REQUEST` under the key of the exchange. What is old does not stay where a `set` finds no room. */
export function store(exchange: Exchange): StoreOutcome {
  const { client, items, key, state } = exchange
  const { counters } = state
  const { mode } = REQUEST
  try {
    if (!exchange.begin(exchange.entry(STORE_AS[mode]))) return 'put off'
    const stored = items.store(client, key, REQUEST)
    exchange.finish()
    count(exchange, stored)
    return stored
  } catch (error) {
    if (!(error instanceof ReplyError) || error.code !== 'OOM') throw error
    exchange.finish()
    counters.store_no_memory++
    if (mode === 'set') drop(exchange)
    return 'OUT_OF_MEMORY'
  }
}

/** A value that no cache takes: what is old does not stay. @returns whether that could be done now */
export function refuseLarge(exchange: Exchange, mode: StoreMode): boolean {
  exchange.state.counters.store_too_large++
  return mode === 'set' ? drop(exchange) : true
}

function drop(exchange: Exchange): boolean {
  if (!exchange.begin(exchange.entry('del'))) return false
  removeKey(exchange.client, exchange.key)
  exchange.finish()
  return true
}

function count({ state }: Exchange, stored: Stored): void {
  const { counters } = state
  if (stored === 'STORED') counters.total_items++
  if (REQUEST.mode !== 'cas') return
  if (stored === 'STORED') counters.cas_hits++
  else if (stored === 'EXISTS') counters.cas_badval++
  else counters.cas_misses++
}

/** Whether the value of `length` bytes behind the line has come whole, with its line break. */
export function hasBlock(exchange: Exchange, length: number): Served | undefined {
  const end = exchange.words.next + length + 2
  return end > exchange.end ? exchange.needs(end) : undefined
}
