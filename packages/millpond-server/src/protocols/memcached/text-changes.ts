/** incr, decr, touch, delete: changes of items by a line alone. */
import { removeKey } from '../../commands/key-changes.ts'
import { ADDITION, add as addNumber } from './adding.ts'
import type { Exchange, Served } from './exchange.ts'
import { expiryOf } from './expiry.ts'
import { readInt32, readUint64 } from './numbers.ts'
import { BAD_FORMAT, NOT_NUMERIC, readNoreply, type TextCommand } from './text-command.ts'

function add(exchange: Exchange, up: boolean): Served {
  readNoreply(exchange)
  const { items, words } = exchange
  if (!exchange.aim(1)) return exchange.answer(BAD_FORMAT)
  const delta = readUint64(words.bytes, words.start(2), words.end(2))
  if (delta === undefined) return exchange.answer('CLIENT_ERROR invalid numeric delta argument')
  ADDITION.delta = delta
  ADDITION.up = up
  ADDITION.cas = 0
  ADDITION.wantsCas = false
  ADDITION.vivifyAtMs = -1
  const outcome = addNumber(exchange)
  if (outcome === 'put off') return outcome
  exchange.finish()
  if (outcome === 'OK') return exchange.answer(items.sum)
  if (outcome === 'NON_NUMERIC') return exchange.answer(NOT_NUMERIC)
  return exchange.answer(outcome === 'OUT_OF_MEMORY' ? 'SERVER_ERROR out of memory' : 'NOT_FOUND')
}

function touch(exchange: Exchange): Served {
  readNoreply(exchange)
  const { client, items, key, words, state } = exchange
  const { counters } = state
  if (!exchange.aim(1)) return exchange.answer(BAD_FORMAT)
  const seconds = readInt32(words.bytes, words.start(2), words.end(2))
  if (Number.isNaN(seconds)) return exchange.answer('CLIENT_ERROR invalid exptime argument')
  if (!exchange.begin(exchange.entry('expire'))) return 'put off'
  const isThere = items.look(client.db, key, true) !== undefined || items.holdsOther
  if (isThere && !items.holdsOther) items.fetched(client.db, key)
  if (isThere) items.touch(client, key, expiryOf(seconds, client.service.time.nowMs))
  exchange.finish()
  counters.cmd_touch++
  if (isThere) counters.touch_hits++
  else counters.touch_misses++
  return exchange.answer(isThere ? 'TOUCHED' : 'NOT_FOUND')
}

function remove(exchange: Exchange): Served {
  const { client, key, words, state } = exchange
  const { counters, prefixes } = state
  if (words.count > 2 && !isDelete(exchange)) {
    return exchange.answer(`${BAD_FORMAT}.  Usage: delete <key> [noreply]`)
  }
  if (!exchange.aim(1)) return exchange.answer(BAD_FORMAT)
  if (!exchange.begin(exchange.entry('del'))) return 'put off'
  const isThere = removeKey(client, key)
  exchange.finish()
  prefixes?.deleted(key.bytes, key.start, key.end)
  if (isThere) counters.delete_hits++
  else counters.delete_misses++
  return exchange.answer(isThere ? 'DELETED' : 'NOT_FOUND')
}

/** Behind the key may stand a 0, which old clients send, and the word for no answer. */
function isDelete(exchange: Exchange): boolean {
  const { words } = exchange
  readNoreply(exchange)
  const zero = words.is(2, '0')
  return words.count === 3 ? zero || exchange.quiet : words.count === 4 && zero && exchange.quiet
}

export const changeCommands: readonly TextCommand[] = [
  {
    name: 'incr',
    syntax: 'key delta [noreply]',
    as: 'incrby',
    summary: 'Adds to a number; above 2^64 it begins anew.',
    words: [3, 4],
    run: (exchange) => add(exchange, true),
  },
  {
    name: 'decr',
    syntax: 'key delta [noreply]',
    as: 'decrby',
    summary: 'Takes from a number, down to 0.',
    words: [3, 4],
    run: (exchange) => add(exchange, false),
  },
  {
    name: 'touch',
    syntax: 'key exptime [noreply]',
    as: 'expire',
    summary: 'Lets an item expire at another time.',
    words: [3, 4],
    run: touch,
  },
  {
    name: 'delete',
    syntax: 'key [0] [noreply]',
    as: 'del',
    summary: 'Removes an item.',
    words: [2, 4],
    run: remove,
  },
]
