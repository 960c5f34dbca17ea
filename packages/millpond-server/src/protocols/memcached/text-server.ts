/** flush_all, version, verbosity and others that concern the whole cache or the connection. */
import type { ReplyError } from '../../engine/errors.ts'
import type { Exchange, Served } from './exchange.ts'
import { expiryOf } from './expiry.ts'
import { dumpKeys } from './key-dump.ts'
import { readInt32, readUint32 } from './numbers.ts'
import { stats } from './stats.ts'
import { BAD_FORMAT, MANY, readNoreply, type TextCommand } from './text-command.ts'

/** The version whose behaviour this is. */
export const MEMCACHED_VERSION = '1.6.18'
const MEGABYTE = 2 ** 20

/** Runs what has the effect of a command that names no key. Returns whether that could be done now. */
export function withoutKey(exchange: Exchange, as: string, run: () => void): boolean {
  const { key } = exchange
  key.start = key.end = 0
  if (!exchange.begin(exchange.entry(as))) return false
  run()
  exchange.finish()
  return true
}

function flushAll(exchange: Exchange): Served {
  readNoreply(exchange)
  const { words, state, options } = exchange
  state.counters.cmd_flush++
  if (options.refusesFlush) return exchange.answer('CLIENT_ERROR flush_all not allowed')
  let seconds = 0
  if (words.count !== (exchange.quiet ? 2 : 1)) {
    seconds = readInt32(words.bytes, words.start(1), words.end(1))
    if (Number.isNaN(seconds)) return exchange.answer('CLIENT_ERROR invalid exptime argument')
  }
  return flush(exchange, seconds) ? exchange.answer('OK') : 'put off'
}

/** Lets everything go that will be there in so many seconds; from 0 down: now. */
export function flush(exchange: Exchange, seconds: number): boolean {
  const { client, state } = exchange
  const { nowMs } = client.service.time
  return withoutKey(exchange, 'flushdb', () => state.flush(client, seconds > 0 ? expiryOf(seconds, nowMs) : nowMs))
}

function limitMemory(exchange: Exchange): Served {
  readNoreply(exchange)
  const { words, client } = exchange
  const megabytes = readUint32(words.bytes, words.start(1), words.end(1))
  if (Number.isNaN(megabytes)) return exchange.answer('ERROR')
  if (megabytes < 8) return exchange.answer('MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m')
  const { configuration, cache } = client.service
  const fits = megabytes * MEGABYTE <= cache.capacity
  const isDone = withoutKey(exchange, 'config|set', () => {
    if (fits) configuration.set([['maxmemory', String(megabytes * MEGABYTE)]])
  })
  if (!isDone) return 'put off'
  return exchange.answer(fits ? 'OK' : 'MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust')
}

function shutDown(exchange: Exchange): Served {
  const { words, options } = exchange
  const { close } = options
  if (close === undefined) return exchange.answer('ERROR: shutdown not enabled')
  const graceful = words.count === 2 && words.is(1, 'graceful')
  if (words.count > 1 && !graceful) return exchange.answer('CLIENT_ERROR invalid shutdown mode')
  if (!withoutKey(exchange, 'shutdown', () => {})) return 'put off'
  close(graceful)
  return 'close'
}

function moveTime(exchange: Exchange): Served {
  const { words, options } = exchange
  if (options.moveTime === undefined || words.count < 2) return exchange.answer('ERROR')
  const seconds = readInt32(words.bytes, words.start(1), words.end(1))
  if (Number.isNaN(seconds)) return exchange.answer('ERROR')
  options.moveTime(seconds)
  return exchange.answer('OK')
}

/** Settings of parts that are not ours: taken where they are well-formed, and nothing follows from them. */
function tuneSlabs(exchange: Exchange): Served {
  const { words } = exchange
  if (words.is(1, 'automove') && words.count >= 3) {
    readNoreply(exchange)
    if (words.is(2, 'ratio')) return exchange.answer(words.count >= 4 ? 'OK' : 'ERROR')
    const level = readUint32(words.bytes, words.start(2), words.end(2))
    if (Number.isNaN(level)) return exchange.answer(BAD_FORMAT)
    return exchange.answer(level <= 2 ? 'OK' : 'ERROR')
  }
  if (words.is(1, 'reassign') && words.count === 4) return exchange.answer('NOSPARE source class has no spare pages')
  return exchange.answer('ERROR')
}

function crawl(exchange: Exchange): Served {
  const { words, options } = exchange
  if (words.count === 3 && words.is(1, 'metadump')) {
    if (options.dumps === false) return exchange.answer('ERROR metadump not allowed')
    return withoutKey(exchange, 'keys', () => dumpKeys(exchange)) ? 'done' : 'put off'
  }
  const takesNumber = words.is(1, 'tocrawl') || words.is(1, 'sleep')
  if (words.count === 3 && takesNumber) {
    const isNumber = !Number.isNaN(readUint32(words.bytes, words.start(2), words.end(2)))
    return exchange.answer(isNumber ? 'OK' : BAD_FORMAT)
  }
  const isKnown = (words.count === 3 && words.is(1, 'crawl')) || words.is(1, 'enable') || words.is(1, 'disable')
  return exchange.answer(isKnown ? 'OK' : 'ERROR')
}

function setVerbosity(exchange: Exchange): Served {
  readNoreply(exchange)
  const { words } = exchange
  const level = readUint32(words.bytes, words.start(1), words.end(1))
  return exchange.answer(Number.isNaN(level) ? BAD_FORMAT : 'OK')
}

export const serverCommands: readonly TextCommand[] = [
  {
    name: 'flush_all',
    syntax: '[delay] [noreply]',
    as: 'flushdb',
    summary: 'Removes all items, now or at a moment that is to come.',
    words: [1, 3],
    run: flushAll,
  },
  {
    name: 'version',
    syntax: '',
    as: '',
    summary: 'Returns the version of memcached whose behaviour this is.',
    words: [1, MANY],
    run: (exchange) => exchange.refuse(`VERSION ${MEMCACHED_VERSION}`),
  },
  {
    name: 'verbosity',
    syntax: 'level [noreply]',
    as: '',
    summary: 'Accepted; what the server writes to its log does not depend on it.',
    words: [2, 3],
    run: setVerbosity,
  },
  {
    name: 'stats',
    syntax: '[settings | items | slabs | sizes | conns | detail on|off|dump | cachedump class limit | reset]',
    as: 'info',
    summary: 'Returns counters and settings under their names in memcached.',
    words: [1, MANY],
    run: stats,
  },
  {
    name: 'quit',
    syntax: '',
    as: '',
    summary: 'Ends the connection.',
    words: [1, MANY],
    run: () => 'close',
  },
  {
    name: 'cache_memlimit',
    syntax: 'megabytes [noreply]',
    as: 'config|set',
    summary: 'Changes the bound on memory.',
    words: [2, 3],
    run: limitMemory,
  },
  {
    name: 'shutdown',
    syntax: '[graceful]',
    as: 'shutdown',
    summary: 'Refused, unless the server was started so that it is allowed.',
    words: [1, MANY],
    run: shutDown,
  },
  {
    name: 'lru_crawler',
    syntax: 'metadump all | enable | disable | crawl classes | tocrawl n | sleep microseconds',
    as: 'keys',
    summary: 'With metadump: all keys, a line each. The rest is accepted, and nothing follows from it.',
    words: [1, MANY],
    run: crawl,
  },
  {
    name: 'lru',
    syntax: 'tune ... | mode ... | temp_ttl ...',
    as: '',
    summary: 'Accepted; which items leave is said by the eviction policy.',
    words: [2, MANY],
    run: (exchange) => {
      const { words } = exchange
      const isKnown = words.is(1, 'tune') || words.is(1, 'mode') || words.is(1, 'temp_ttl')
      return exchange.answer(isKnown && words.count >= 3 ? 'OK' : 'ERROR')
    },
  },
  {
    name: 'slabs',
    syntax: 'automove level | reassign from to',
    as: '',
    summary: 'Accepted; the memory of items is divided anew without being told.',
    words: [1, MANY],
    run: tuneSlabs,
  },
  {
    name: 'watch',
    syntax: '',
    as: '',
    summary: 'Refused, as memcached does with -W: MONITOR of the Redis protocol tells commands of all protocols.',
    words: [1, MANY],
    run: (exchange) => exchange.answer('CLIENT_ERROR watch commands not allowed'),
  },
  {
    name: 'debugtime',
    syntax: 'seconds',
    as: '',
    summary: 'Only where a test has asked for it: moves the clock.',
    words: [1, MANY],
    run: moveTime,
  },
]

/** What a refusal is in text. */
export function errorLine(error: ReplyError): string {
  const { code, message } = error
  const isOfClient = code === 'NOPERM' || code === 'NOAUTH' || code === 'WRONGPASS'
  if (isOfClient) return `CLIENT_ERROR ${code} ${message}`
  return code === 'OOM' ? 'SERVER_ERROR out of memory' : `SERVER_ERROR ${code} ${message}`
}
