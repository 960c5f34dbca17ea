/** `stats` and its sub-commands, for text and binary. */
import type { CacheState } from './cache-state.ts'
import type { Exchange, Served } from './exchange.ts'
import { cacheDump } from './key-dump.ts'
import { readUint32 } from './numbers.ts'
import { connections, counters, items, settings, slabs } from './stats-lists.ts'
import { BAD_FORMAT } from './text-command.ts'
import { withoutKey } from './text-server.ts'

/** A name and what is told of it. */
export type Stat = readonly [name: string, value: string | number]

/** The lists by the word behind `stats`. */
const LISTS: Readonly<Record<string, (exchange: Exchange) => readonly Stat[]>> = {
  '': counters,
  settings,
  items,
  slabs,
  conns: connections,
  sizes: () => [['sizes_status', 'disabled']],
  sizes_enable: () => [['sizes_status', 'disabled']],
  sizes_disable: () => [['sizes_status', 'disabled']],
}

export function stats(exchange: Exchange): Served {
  const { words, writer } = exchange
  const what = words.count > 1 ? words.text(1) : ''
  if (what === 'reset') return reset(exchange) ? exchange.refuse('RESET') : 'put off'
  if (what === 'detail') return detail(exchange, words.count > 2 ? words.text(2) : '')
  if (what === 'cachedump') return dump(exchange)
  const list = statsList(exchange, what)
  if (list === undefined) return exchange.refuse('ERROR')
  if (list === 'put off') return list
  for (const [name, value] of list) writer.line(`STAT ${name} ${value}`)
  return exchange.refuse('END')
}

/** What a word behind `stats` asks for; `undefined`: there is no such list. */
export function statsList(exchange: Exchange, what: string): readonly Stat[] | 'put off' | undefined {
  const list = Object.hasOwn(LISTS, what) ? LISTS[what] : undefined
  if (list === undefined) return undefined
  let told: readonly Stat[] = []
  const isDone = withoutKey(exchange, 'info', () => {
    told = list(exchange)
  })
  return isDone ? told : 'put off'
}

/** Lets all counters begin anew. Returns whether that could be done now. */
export function reset(exchange: Exchange): boolean {
  const { state } = exchange
  return withoutKey(exchange, 'config|resetstat', () => {
    state.counters.reset()
    state.allPrefixes.clear()
    state.evictedBefore = exchange.client.service.changes.evicted
  })
}

/** Switches what is gathered for each prefix. */
export function gatherPrefixes(state: CacheState, on: boolean): void {
  state.prefixes = on ? state.allPrefixes : undefined
}

function detail(exchange: Exchange, what: string): Served {
  const { state, writer } = exchange
  if (what !== 'on' && what !== 'off' && what !== 'dump') {
    return exchange.refuse('CLIENT_ERROR usage: stats detail on|off|dump')
  }
  const run = (): void => {
    if (what === 'dump') writer.text(state.allPrefixes.text)
    else {
      gatherPrefixes(state, what === 'on')
      writer.line('OK')
    }
  }
  return withoutKey(exchange, 'info', run) ? 'done' : 'put off'
}

function dump(exchange: Exchange): Served {
  const { words, options } = exchange
  if (options.dumps === false) return exchange.refuse('CLIENT_ERROR stats cachedump not allowed')
  if (words.count < 4) return exchange.refuse('CLIENT_ERROR bad command line')
  const [classNumber, limit] = [2, 3].map((at) => readUint32(words.bytes, words.start(at), words.end(at))) as [
    number,
    number,
  ]
  if (Number.isNaN(classNumber) || Number.isNaN(limit)) return exchange.refuse(BAD_FORMAT)
  if (classNumber >= CLASSES_MAX) return exchange.refuse('CLIENT_ERROR Illegal slab id')
  if (classNumber !== 1) return exchange.refuse('END')
  return withoutKey(exchange, 'keys', () => cacheDump(exchange, limit)) ? 'done' : 'put off'
}

/** memcached has so many sizes of chunks; here all items are of the first. */
const CLASSES_MAX = 64
