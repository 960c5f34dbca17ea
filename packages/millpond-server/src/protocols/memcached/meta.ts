/** The meta commands: mg, ms, md, ma, mn, me. */

import type { ArenaView } from 'millpond/memory'
import { removeKey } from '../../commands/key-changes.ts'
import { MARK } from '../../engine/marks.ts'
import type { Exchange, Served } from './exchange.ts'
import { secondsLeft } from './expiry.ts'
import type { Items } from './items.ts'
import { add } from './meta-arithmetic.ts'
import { MetaFlags } from './meta-flags.ts'
import { get } from './meta-get.ts'
import { checkLine, FLAGS, OPAQUE_TOO_LONG, readFlags, writeEchoes } from './meta-line.ts'
import { store } from './meta-set.ts'
import { BAD_FORMAT, MANY, type TextCommand } from './text-command.ts'

function remove(exchange: Exchange): Served {
  const { client, items, key, state, writer } = exchange
  const wrong = checkLine(exchange, '')
  if (wrong) return exchange.refuse(wrong)
  if (readFlags(exchange, 2)) return exchange.refuse('CLIENT_ERROR invalid or duplicate flag')
  if (MetaFlags.hasLongOpaque(exchange.words, 2)) return exchange.refuse(OPAQUE_TOO_LONG)
  const { counters } = state
  if (!exchange.begin(exchange.entry('del'))) return 'put off'
  const view = items.look(client.db, key, false)
  let code = 'NF'
  if (view !== undefined || items.holdsOther) {
    if (FLAGS.hasCas && !isSame(items, view)) code = 'EX'
    else {
      code = 'HD'
      if (FLAGS.invalidates && view !== undefined) items.makeStale(client.db, key, view)
      else if (removeKey(client, key)) counters.delete_hits++
      if (FLAGS.invalidates && FLAGS.expiresAtMs >= 0) items.touch(client, key, FLAGS.expiresAtMs)
    }
  }
  exchange.finish()
  if (code !== 'HD') counters.delete_misses++
  if (code === 'HD' && exchange.quiet) return 'done'
  writer.text(code)
  writeEchoes(exchange, 2)
  writer.line('')
  return 'done'
}

/** Whether the item that was found has the number that was given. */
function isSame({ marks }: Items, view: ArenaView | undefined): boolean {
  return view !== undefined && FLAGS.cas !== 0 && marks.cas === FLAGS.cas
}

/** `me`: what is known of an item, for those who look for faults. */
function debug(exchange: Exchange): Served {
  const { client, items, key, words, writer, state } = exchange
  if (words.count < 2 || !exchange.aim(1)) return exchange.refuse(BAD_FORMAT)
  const isBinary = words.is(2, 'b')
  if (isBinary && readFlags(exchange, 2)) return exchange.refuse(BAD_FORMAT)
  if (!exchange.begin(exchange.entry('get'))) return 'put off'
  const { db, service } = client
  const { nowMs } = service.time
  const idleSeconds = Math.floor(Math.max(0, db.idleMs(key)) / 1000)
  const view = items.look(db, key, false)
  state.counters.cmd_meta++
  if (view === undefined) writer.line('EN')
  else {
    const left = secondsLeft(view.expiresAtMs, nowMs)
    const { cas, bits } = items.marks
    const fetched = items.isFetched ? 'yes' : 'no'
    writer.text('ME ')
    if ((bits & MARK.BINARY_KEY) !== 0) writer.text(key.bytes.toString('base64', key.start, key.end))
    else writer.part(key.bytes, key.start, key.end)
    writer.line(
      ` exp=${left < 0 ? -1 : -left} la=${idleSeconds} cas=${cas} fetch=${fetched} cls=1 size=${db.weightOf(key)}`,
    )
  }
  exchange.finish()
  return 'done'
}

export const metaCommands: readonly TextCommand[] = [
  {
    name: 'mg',
    syntax: 'key [flags]',
    as: 'get',
    summary: 'Returns what the flags ask of an item; with N it is made, with T it expires at another time (as GETEX).',
    words: [2, MANY],
    run: get,
  },
  {
    name: 'ms',
    syntax: 'key bytes [flags]',
    as: 'set',
    summary: 'Stores an item; M says whether as set, add, replace, append or prepend.',
    words: [2, MANY],
    run: store,
  },
  {
    name: 'md',
    syntax: 'key [flags]',
    as: 'del',
    summary: 'Removes an item, or with I marks it as stale.',
    words: [2, MANY],
    run: remove,
  },
  {
    name: 'ma',
    syntax: 'key [flags]',
    as: 'incrby',
    summary: 'Adds to a number, or takes from it; with N it is made.',
    words: [2, MANY],
    run: add,
  },
  {
    name: 'mn',
    syntax: '',
    as: '',
    summary: 'Answers MN: all that came before is done.',
    words: [1, MANY],
    run: (exchange) => exchange.refuse('MN'),
  },
  {
    name: 'me',
    syntax: 'key [b]',
    as: 'get',
    summary: 'Returns what is known of an item, for those who look for faults.',
    words: [1, MANY],
    run: debug,
  },
]
