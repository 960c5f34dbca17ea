/** get, gets, gat, gats: items by their keys. */
import type { Exchange, Served } from './exchange.ts'
import { expiryOf } from './expiry.ts'
import { readInt32 } from './numbers.ts'
import { BAD_FORMAT, MANY, type TextCommand } from './text-command.ts'

/** `get <key>*` and its relatives: all keys of a line, or, if one of them is too long, none. */
function retrieve(exchange: Exchange, wantsCas: boolean, as: string): Served {
  return isTooLong(exchange, 1) ? exchange.refuse(BAD_FORMAT) : show(exchange, 1, wantsCas, undefined, as)
}

/** `gat <exptime> <key>*`. */
function touchAndRetrieve(exchange: Exchange, wantsCas: boolean): Served {
  const { words, client } = exchange
  const seconds = readInt32(words.bytes, words.start(1), words.end(1))
  if (Number.isNaN(seconds)) return exchange.refuse('CLIENT_ERROR invalid exptime argument')
  if (isTooLong(exchange, 2)) return exchange.refuse(BAD_FORMAT)
  return show(exchange, 2, wantsCas, expiryOf(seconds, client.service.time.nowMs), 'getex')
}

function isTooLong(exchange: Exchange, first: number): boolean {
  for (let at = first; at < exchange.words.count; at++) if (!exchange.aim(at)) return true
  return false
}

function show(exchange: Exchange, first: number, wantsCas: boolean, touchAtMs: number | undefined, as: string): Served {
  const { words } = exchange
  const entry = exchange.entry(as)
  for (let at = first; at < words.count; at++) {
    exchange.aim(at)
    if (!exchange.begin(entry)) return 'put off'
    showOne(exchange, wantsCas, touchAtMs)
    exchange.finish()
  }
  return exchange.refuse('END')
}

function showOne(exchange: Exchange, wantsCas: boolean, touchAtMs: number | undefined): void {
  const { client, items, key, state, writer } = exchange
  const view = exchange.fetch(wantsCas)
  const { counters, prefixes } = state
  if (touchAtMs === undefined) counters.cmd_get++
  else counters.cmd_touch++
  prefixes?.got(key.bytes, key.start, key.end, view !== undefined)
  if (view === undefined) {
    if (touchAtMs === undefined) counters.get_misses++
    else counters.touch_misses++
    return
  }
  const { clientFlags, cas } = items.marks
  writer.value(key.bytes, key.start, key.end, clientFlags, view.bytes, view.start, view.end, wantsCas ? cas : -1)
  items.fetched(client.db, key)
  if (touchAtMs === undefined) counters.get_hits++
  else {
    counters.touch_hits++
    items.touch(client, key, touchAtMs)
  }
}

export const retrievalCommands: readonly TextCommand[] = [
  {
    name: 'get',
    syntax: 'key [key ...]',
    as: 'get',
    summary: 'Returns items: flags and values.',
    words: [2, MANY],
    run: (exchange) => retrieve(exchange, false, 'get'),
  },
  {
    name: 'gets',
    syntax: 'key [key ...]',
    as: 'get',
    summary: 'Returns items with their cas.',
    words: [2, MANY],
    run: (exchange) => retrieve(exchange, true, 'get'),
  },
  {
    name: 'gat',
    syntax: 'exptime key [key ...]',
    as: 'getex',
    summary: 'Returns items, and lets them expire at another time.',
    words: [2, MANY],
    run: (exchange) => touchAndRetrieve(exchange, false),
  },
  {
    name: 'gats',
    syntax: 'exptime key [key ...]',
    as: 'getex',
    summary: 'Returns items with their cas, and lets them expire at another time.',
    words: [2, MANY],
    run: (exchange) => touchAndRetrieve(exchange, true),
  },
  {
    name: 'bget',
    syntax: 'key [key ...]',
    as: 'get',
    summary: 'An old name of get.',
    words: [2, MANY],
    run: (exchange) => retrieve(exchange, false, 'get'),
  },
]
