/** ms: stores an item as its flags say. */
import { MARK } from '../../engine/marks.ts'
import type { Exchange, Served } from './exchange.ts'
import type { StoreMode } from './items.ts'
import { MetaFlags } from './meta-flags.ts'
import { checkLine, FLAGS, OPAQUE_TOO_LONG, readFlags, writeKey, writeWord } from './meta-line.ts'
import { readInt32 } from './numbers.ts'
import { hasBlock, REQUEST, refuseLarge, store as storeRequest } from './storing.ts'
import { BAD_FORMAT, OUT_OF_MEMORY, TOO_LARGE } from './text-command.ts'

const LENGTH_MAX = 2 ** 31 - 3
const CR = 13
const LF = 10
const MODES: Readonly<Record<string, StoreMode>> = {
  '': 'set',
  S: 'set',
  E: 'add',
  A: 'append',
  P: 'prepend',
  R: 'replace',
}
const CODES = { STORED: 'HD', EXISTS: 'EX', NOT_FOUND: 'NF', NOT_STORED: 'NS' } as const

export function store(exchange: Exchange): Served {
  const { words, client, items, state } = exchange
  if (!exchange.aim(1) || words.count < 3) return exchange.refuse(BAD_FORMAT)
  const tooMany = checkLine(exchange, '')
  if (tooMany) return exchange.refuse(tooMany)
  const length = readInt32(words.bytes, words.start(2), words.end(2))
  if (!(length >= 0 && length <= LENGTH_MAX)) return exchange.refuse(BAD_FORMAT)
  const wrong = readFlags(exchange, 3) ?? wrongIn(exchange)
  if (wrong) return passOver(exchange, length, wrong)
  const mode = modeOf()
  if (items.isTooLarge(client.db, exchange.key.length, length)) {
    return refuseLarge(exchange, 'set') ? passOver(exchange, length, TOO_LARGE) : 'put off'
  }
  const more = hasBlock(exchange, length)
  if (more) return more
  const end = words.next + length
  exchange.next = end + 2
  state.counters.cmd_set++
  if (words.bytes[end] !== CR || words.bytes[end + 1] !== LF) return exchange.refuse('CLIENT_ERROR bad data chunk')
  aimRequest(exchange, mode, end)
  const stored = storeRequest(exchange)
  if (stored === 'put off') return stored
  if (stored === 'OUT_OF_MEMORY') return exchange.refuse(OUT_OF_MEMORY)
  answer(exchange, CODES[stored])
  return 'done'
}

function wrongIn({ words }: Exchange): string | undefined {
  if (MetaFlags.hasLongOpaque(words, 3)) return OPAQUE_TOO_LONG
  return Object.hasOwn(MODES, FLAGS.mode) ? undefined : 'CLIENT_ERROR invalid mode for ms M token'
}

/** A number to compare makes a set, and a replace, one of the item that has it. */
function modeOf(): StoreMode {
  const mode = MODES[FLAGS.mode]!
  return FLAGS.hasCas && (mode === 'set' || mode === 'replace') ? 'cas' : mode
}

function aimRequest({ words }: Exchange, mode: StoreMode, end: number): void {
  REQUEST.mode = mode
  REQUEST.clientFlags = FLAGS.clientFlags
  REQUEST.expiresAtMs = FLAGS.expiresAtMs >= 0 ? FLAGS.expiresAtMs : Number.POSITIVE_INFINITY
  REQUEST.bytes = words.bytes
  REQUEST.start = words.next
  REQUEST.end = end
  REQUEST.cas = FLAGS.cas
  REQUEST.wantsCas = FLAGS.wantsCas
  REQUEST.invalidates = FLAGS.invalidates
  REQUEST.bits = FLAGS.keyIsBinary ? MARK.BINARY_KEY : 0
}

function answer(exchange: Exchange, code: string): void {
  const { items, words, writer } = exchange
  if (code === 'HD' && exchange.quiet) return
  writer.text(code)
  for (let at = 3; at < words.count; at++) {
    switch (String.fromCharCode(words.first(at))) {
      case 'O':
        writeWord(exchange, at)
        break
      case 'k':
        writeKey(exchange, FLAGS.keyIsBinary)
        break
      case 'c':
        writer.text(' c')
        writer.number(code === 'HD' ? items.cas : 0)
        break
    }
  }
  writer.line('')
}

/** Says what is wrong, and passes over the value that follows all the same. */
function passOver(exchange: Exchange, length: number, wrong: string): Served {
  exchange.skip = length + 2
  return exchange.refuse(wrong)
}
