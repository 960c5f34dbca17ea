/** ma: adds to a number, or takes from it. */
import { ADDITION, type AddOutcome, add as addNumber } from './adding.ts'
import type { Exchange, Served } from './exchange.ts'
import { secondsLeft } from './expiry.ts'
import { MetaFlags } from './meta-flags.ts'
import { checkLine, FLAGS, OPAQUE_TOO_LONG, readFlags, writeEchoes, writeKey, writeWord } from './meta-line.ts'
import { NOT_NUMERIC } from './text-command.ts'

const UP: readonly string[] = ['', 'I', '+']
const DOWN: readonly string[] = ['D', '-']

export function add(exchange: Exchange): Served {
  const wrong = checkLine(exchange, '')
  if (wrong) return exchange.refuse(wrong)
  if (readFlags(exchange, 2)) return exchange.refuse('CLIENT_ERROR invalid or duplicate flag')
  const up = UP.includes(FLAGS.mode)
  if (!up && !DOWN.includes(FLAGS.mode)) return exchange.refuse('CLIENT_ERROR invalid mode for ma M token')
  if (MetaFlags.hasLongOpaque(exchange.words, 2)) return exchange.refuse(OPAQUE_TOO_LONG)
  ADDITION.delta = FLAGS.delta
  ADDITION.up = up
  ADDITION.cas = FLAGS.cas
  ADDITION.wantsCas = FLAGS.wantsCas
  ADDITION.vivifyAtMs = FLAGS.vivifyAtMs
  ADDITION.initial = FLAGS.initial
  const outcome = addNumber(exchange)
  if (outcome === 'put off') return outcome
  answer(exchange, outcome)
  exchange.finish()
  return 'done'
}

function answer(exchange: Exchange, outcome: Exclude<AddOutcome, 'put off'>): void {
  if (outcome === 'NON_NUMERIC') exchange.refuse(NOT_NUMERIC)
  else if (outcome === 'OUT_OF_MEMORY') exchange.refuse('SERVER_ERROR out of memory')
  else if (outcome === 'OK' || outcome === 'MADE') answerSum(exchange, outcome === 'MADE')
  else answerNone(exchange, outcome)
}

function answerNone(exchange: Exchange, outcome: 'EXISTS' | 'NOT_FOUND'): void {
  exchange.writer.text(outcome === 'EXISTS' ? 'EX' : 'NF')
  writeEchoes(exchange, 2)
  exchange.writer.line('')
}

/** Answers, in the order of the flags: what stands before T, or before N of a new number, sees the life before it. */
function answerSum(exchange: Exchange, isNew: boolean): void {
  const { client, items, key, words, writer } = exchange
  const { nowMs } = client.service.time
  let expiresAtMs = isNew ? Number.POSITIVE_INFINITY : client.db.expiresAtMs(key)
  const { quiet } = exchange
  const from = writer.length
  writer.text(FLAGS.wantsValue ? `VA ${items.sum.length}` : 'HD')
  for (let at = 2; at < words.count; at++) {
    switch (String.fromCharCode(words.first(at))) {
      case 'c':
        writer.text(' c')
        writer.number(items.cas)
        break
      case 't':
        writer.text(` t${secondsLeft(expiresAtMs, nowMs)}`)
        break
      case 'T':
        expiresAtMs = FLAGS.expiresAtMs
        break
      case 'N':
        if (isNew) expiresAtMs = FLAGS.vivifyAtMs
        break
      case 'O':
        writeWord(exchange, at)
        break
      case 'k':
        writeKey(exchange, FLAGS.keyIsBinary)
        break
    }
  }
  writer.line('')
  if (FLAGS.wantsValue) writer.line(items.sum)
  if (quiet && !isNew) writer.truncate(from)
  if (FLAGS.expiresAtMs >= 0) items.touch(client, key, expiresAtMs)
}
