/** mg: an item, and of it what the flags ask for. */
import type { ArenaView } from 'millpond/memory'
import { MARK } from '../../engine/marks.ts'
import type { Exchange, Served } from './exchange.ts'
import { secondsLeft } from './expiry.ts'
import { MetaFlags } from './meta-flags.ts'
import { checkLine, FLAGS, OPAQUE_TOO_LONG, readFlags, writeEchoes, writeKey, writeWord } from './meta-line.ts'

export function get(exchange: Exchange): Served {
  const wrong = checkLine(exchange, 'are ') ?? readFlags(exchange, 2)
  if (wrong) return exchange.refuse(wrong)
  if (MetaFlags.hasLongOpaque(exchange.words, 2)) return exchange.refuse(OPAQUE_TOO_LONG)
  const { client, items, key } = exchange
  const as = FLAGS.vivifyAtMs >= 0 ? 'set' : FLAGS.expiresAtMs >= 0 ? 'getex' : 'get'
  if (!exchange.begin(exchange.entry(as))) return 'put off'
  const idleSeconds = FLAGS.wantsLastUse ? Math.floor(Math.max(0, client.db.idleMs(key)) / 1000) : 0
  let view = exchange.fetch(FLAGS.wantsCas, !FLAGS.noUpdate)
  const vivifies = view === undefined && FLAGS.vivifyAtMs >= 0
  if (vivifies) {
    items.vivify(client, key, FLAGS.vivifyAtMs, FLAGS.wantsCas)
    view = items.fetch(client.db, key, FLAGS.wantsCas)
  }
  if (view === undefined) miss(exchange)
  else hit(exchange, view, vivifies, idleSeconds)
  exchange.finish()
  return 'done'
}

function miss(exchange: Exchange): void {
  const { counters } = exchange.state
  counters.cmd_get++
  counters.get_misses++
  if (exchange.quiet) return
  exchange.writer.text('EN')
  writeEchoes(exchange, 2)
  exchange.writer.line('')
}

function hit(exchange: Exchange, view: ArenaView, isNew: boolean, idleSeconds: number): void {
  const { client, items, key, writer, state } = exchange
  const { counters } = state
  const { bits } = items.marks
  if (FLAGS.wantsValue) {
    writer.text('VA ')
    writer.number(view.length)
  } else writer.text('HD')
  const wins = writeFlags(exchange, view, isNew, idleSeconds) || ((bits & MARK.STALE) !== 0 && (bits & MARK.WON) === 0)
  if ((bits & MARK.WON) !== 0) writer.text(' Z')
  if ((bits & MARK.STALE) !== 0) writer.text(' X')
  if (wins) writer.text(' W')
  writer.line('')
  if (FLAGS.wantsValue) writer.block(view.bytes, view.start, view.end)
  const on = (wins ? MARK.WON : 0) | (FLAGS.noUpdate ? 0 : MARK.FETCHED)
  if ((bits & on) !== on) items.setBits(client.db, key, on, 0)
  if (FLAGS.expiresAtMs >= 0) items.touch(client, key, FLAGS.lifeEndsAtMs)
  if (FLAGS.expiresAtMs >= 0) {
    counters.cmd_touch++
    counters.touch_hits++
  } else {
    counters.cmd_get++
    counters.get_hits++
  }
}

/** Answers each flag in turn: what stands before T sees the life that the item had. Returns whether the client is to renew the item. */
function writeFlags(exchange: Exchange, view: ArenaView, isNew: boolean, idleSeconds: number): boolean {
  const { client, items, words, writer } = exchange
  const { bits, clientFlags, cas } = items.marks
  const { nowMs } = client.service.time
  let { expiresAtMs } = view
  if (isNew) expiresAtMs = Number.POSITIVE_INFINITY
  let wins = false
  for (let at = 2; at < words.count; at++) {
    switch (String.fromCharCode(words.first(at))) {
      case 'T':
        expiresAtMs = FLAGS.expiresAtMs
        break
      case 'N':
        if (isNew) expiresAtMs = FLAGS.vivifyAtMs
        wins ||= isNew
        break
      case 'R':
        wins ||= (bits & MARK.WON) === 0 && !isNew && Number.isFinite(expiresAtMs) && expiresAtMs < FLAGS.recacheAtMs
        break
      case 's':
        writer.text(' s')
        writer.number(view.length)
        break
      case 't':
        writer.text(` t${secondsLeft(expiresAtMs, nowMs)}`)
        break
      case 'c':
        writer.text(' c')
        writer.number(cas)
        break
      case 'f':
        writer.text(' f')
        writer.number(clientFlags)
        break
      case 'l':
        writer.text(' l')
        writer.number(idleSeconds)
        break
      case 'h':
        writer.text((bits & MARK.FETCHED) === 0 ? ' h0' : ' h1')
        break
      case 'O':
        writeWord(exchange, at)
        break
      case 'k':
        writeKey(exchange, (bits & MARK.BINARY_KEY) !== 0)
        break
    }
  }
  FLAGS.lifeEndsAtMs = expiresAtMs
  return wins
}
