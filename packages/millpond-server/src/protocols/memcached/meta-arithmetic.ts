/** ma: adds to a number, or takes from it. */
import { ReplyError } from '../../engine/errors.ts'
import type { Exchange, Served } from './exchange.ts'
import { secondsLeft } from './expiry.ts'
import type { Sum } from './items.ts'
import { checkLine, FLAGS, OPAQUE_TOO_LONG, readFlags, writeEchoes, writeKey, writeWord } from './meta.ts'
import { MetaFlags } from './meta-flags.ts'
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
  try {
    if (!exchange.begin(exchange.entry(up ? 'incrby' : 'decrby'))) return 'put off'
    run(exchange, up)
    exchange.finish()
    return 'done'
  } catch (error) {
    if (!(error instanceof ReplyError) || error.code !== 'OOM') throw error
    exchange.finish()
    return exchange.refuse('SERVER_ERROR out of memory')
  }
}

function run(exchange: Exchange, up: boolean): void {
  const { client, items, key, state } = exchange
  const { counters } = state
  const result = items.add(client, key, FLAGS.delta, up, FLAGS.cas, FLAGS.wantsCas)
  if (result === 'NON_NUMERIC') {
    exchange.refuse(NOT_NUMERIC)
    return
  }
  if (result === 'OK') {
    if (up) counters.incr_hits++
    else counters.decr_hits++
    answerSum(exchange, false)
  } else if (result === 'NOT_FOUND' && FLAGS.vivifyAtMs >= 0) {
    items.sum = String(FLAGS.initial)
    items.vivify(client, key, FLAGS.vivifyAtMs, FLAGS.wantsCas, Buffer.from(items.sum))
    answerSum(exchange, true)
  } else {
    if (result === 'NOT_FOUND' && up) counters.incr_misses++
    else if (result === 'NOT_FOUND') counters.decr_misses++
    answerNone(exchange, result)
  }
}

function answerNone(exchange: Exchange, result: Sum): void {
  exchange.writer.text(result === 'EXISTS' ? 'EX' : 'NF')
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
