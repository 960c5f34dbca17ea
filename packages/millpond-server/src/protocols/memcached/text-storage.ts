/** set, add, replace, append, prepend, cas: a line, and a value behind it. */
import type { Exchange, Served } from './exchange.ts'
import { expiryOf } from './expiry.ts'
import type { StoreMode } from './items.ts'
import { readInt32, readUint32, readUint64 } from './numbers.ts'
import { hasBlock, REQUEST, refuseLarge, STORE_AS, store } from './storing.ts'
import { BAD_FORMAT, OUT_OF_MEMORY, readNoreply, type TextCommand, TOO_LARGE } from './text-command.ts'

const LENGTH_MAX = 2 ** 31 - 3
const CR = 13
const LF = 10

function storeLine(exchange: Exchange, mode: StoreMode): Served {
  readNoreply(exchange)
  const { bytes } = exchange.words
  if (!exchange.aim(1)) return exchange.answer(BAD_FORMAT)
  const length = readRequest(exchange, mode)
  if (length < 0) return exchange.answer(BAD_FORMAT)
  if (exchange.items.isTooLarge(exchange.client.db, exchange.key.length, length))
    return tooLarge(exchange, mode, length)
  const more = hasBlock(exchange, length)
  if (more) return more
  const end = REQUEST.start + length
  exchange.next = end + 2
  exchange.state.counters.cmd_set++
  if (bytes[end] !== CR || bytes[end + 1] !== LF) return exchange.answer('CLIENT_ERROR bad data chunk')
  const stored = store(exchange)
  if (stored === 'put off') return stored
  return exchange.answer(stored === 'OUT_OF_MEMORY' ? OUT_OF_MEMORY : stored)
}

/** Reads the line into `REQUEST`. Returns the length of the value; negative: the line is none. */
function readRequest({ words, client }: Exchange, mode: StoreMode): number {
  const { bytes } = words
  const clientFlags = readUint32(bytes, words.start(2), words.end(2))
  const seconds = readInt32(bytes, words.start(3), words.end(3))
  const length = readInt32(bytes, words.start(4), words.end(4))
  const cas = mode === 'cas' ? readUint64(bytes, words.start(5), words.end(5)) : 0n
  if (!(clientFlags >= 0) || Number.isNaN(seconds) || cas === undefined || !(length <= LENGTH_MAX)) return -1
  REQUEST.mode = mode
  REQUEST.clientFlags = clientFlags
  REQUEST.expiresAtMs = expiryOf(seconds, client.service.time.nowMs)
  REQUEST.bytes = bytes
  REQUEST.start = words.next
  REQUEST.end = words.next + length
  REQUEST.cas = Number(cas)
  REQUEST.wantsCas = REQUEST.invalidates = false
  REQUEST.bits = 0
  return length
}

function tooLarge(exchange: Exchange, mode: StoreMode, length: number): Served {
  if (!refuseLarge(exchange, mode)) return 'put off'
  exchange.skip = length + 2
  return exchange.answer(TOO_LARGE)
}

function storageCommand(name: StoreMode, summary: string): TextCommand {
  const isCas = name === 'cas'
  return {
    name,
    syntax: `key flags exptime bytes${isCas ? ' cas' : ''} [noreply]`,
    as: STORE_AS[name],
    summary,
    words: isCas ? [6, 7] : [5, 6],
    run: (exchange) => {
      const { prefixes } = exchange.state
      const served = storeLine(exchange, name)
      if (prefixes && served === 'done') {
        const { bytes, start, end } = exchange.key
        prefixes.stored(bytes, start, end)
      }
      return served
    },
  }
}

export const storageCommands: readonly TextCommand[] = [
  storageCommand('set', 'Stores an item, whatever the key held.'),
  storageCommand('add', 'Stores an item if there is none.'),
  storageCommand('replace', 'Stores an item if there is one.'),
  storageCommand('append', 'Puts bytes behind those of an item.'),
  storageCommand('prepend', 'Puts bytes before those of an item.'),
  storageCommand('cas', 'Stores an item if nobody has changed it since `gets`.'),
]
