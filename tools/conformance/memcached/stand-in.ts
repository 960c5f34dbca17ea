/**
 * A stand-in for the program `memcached`: takes its command line and serves as it would, by our server. The suites that start
 * memcached themselves start this.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CommandTable } from '../../../packages/millpond-server/src/commands/command-table.ts'
import { Configuration } from '../../../packages/millpond-server/src/commands/configuration/configuration.ts'
import { Host } from '../../../packages/millpond-server/src/commands/host.ts'
import { COMMANDS } from '../../../packages/millpond-server/src/commands/table.ts'
import { EngineTime } from '../../../packages/millpond-server/src/engine/time.ts'
import { Listener } from '../../../packages/millpond-server/src/protocols/listener.ts'
import { ITEM_OVERHEAD } from '../../../packages/millpond-server/src/protocols/memcached/items.ts'
import type { MemcachedOptions } from '../../../packages/millpond-server/src/protocols/memcached/options.ts'
import { MemcachedProtocol } from '../../../packages/millpond-server/src/protocols/memcached/protocol.ts'
import { SharedInput } from '../../../packages/millpond-server/src/protocols/shared-input.ts'
import { Upkeep } from '../../../packages/millpond-server/src/protocols/upkeep.ts'

const MEGABYTE = 2 ** 20
/** The least that the engine works with, whatever -m says. */
const BYTES_MIN = 2 * MEGABYTE

const { values } = parseArgs({
  args: process.argv.slice(2).flatMap(split),
  strict: false,
  options: {
    p: { type: 'string', short: 'p' },
    U: { type: 'string', short: 'U' },
    s: { type: 'string', short: 's' },
    a: { type: 'string', short: 'a' },
    l: { type: 'string', short: 'l' },
    m: { type: 'string', short: 'm' },
    I: { type: 'string', short: 'I' },
    M: { type: 'boolean', short: 'M' },
    c: { type: 'string', short: 'c' },
    b: { type: 'string', short: 'b' },
    R: { type: 'string', short: 'R' },
    t: { type: 'string', short: 't' },
    B: { type: 'string', short: 'B' },
    Y: { type: 'string', short: 'Y' },
    P: { type: 'string', short: 'P' },
    u: { type: 'string', short: 'u' },
    o: { type: 'string', short: 'o', multiple: true },
    F: { type: 'boolean', short: 'F' },
    A: { type: 'boolean', short: 'A' },
    C: { type: 'boolean', short: 'C' },
    S: { type: 'boolean', short: 'S' },
    X: { type: 'boolean', short: 'X' },
    h: { type: 'boolean', short: 'h' },
  },
})
/** What was given of the options with a value, of those that may be repeated, and of those without. */
const given = values as Readonly<Record<string, string | undefined>>
const tunings = values.o as readonly string[] | undefined
const isGiven = (letter: string): boolean => values[letter] === true

/** `-vv` and other bundles are words of their own; what is written together (`-m64`) is divided. */
function split(word: string): string[] {
  if (/^-v+$/.test(word)) return []
  const together = /^-([psalmIcbRtBYPuoU])(.+)$/.exec(word)
  return together ? [`-${together[1]}`, together[2]!] : [word]
}

const tuned = new Map(
  (tunings ?? [])
    .flatMap((words) => words.split(','))
    .map((word) => word.split('=') as [string, string?])
    .map(([name, value = '']) => [name, value]),
)

function fail(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(64)
}

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([km]?)$/i.exec(text) ?? fail(`a size was expected, not ${text}`)
  return Number(digits) * { '': 1, k: 1024, m: MEGABYTE }[unit.toLowerCase() as '' | 'k' | 'm']
}

/** Time that `debugtime` moves. */
let movedMs = 0

function options(): MemcachedOptions {
  const threads = Number(given.t ?? 4)
  return {
    refusesFlush: isGiven('F'),
    speaks: given.B === 'ascii' ? 'text' : given.B === 'binary' ? 'binary' : 'auto',
    dumps: !isGiven('X'),
    moveTime: (seconds) => void (movedMs += seconds * 1000),
    ...(isGiven('A') && { close: () => setImmediate(() => process.exit(0)) }),
    stats: { threads },
    settings: {
      item_size_max: itemBytes,
      num_threads: threads,
      domain_socket: given.s ?? 'NULL',
      auth_enabled_sasl: 'no',
      maxconns: Number(given.c ?? 1024),
      maxbytes: Number(given.m ?? 64) * MEGABYTE,
      cas_enabled: isGiven('C') ? 'no' : 'yes',
      evictions: isGiven('M') ? 'off' : 'on',
      binding_protocol: given.B === undefined || given.B === 'auto' ? 'auto-negotiate' : given.B,
      tcp_backlog: Number(given.b ?? 1024),
      inter: given.l ?? 'NULL',
    },
  }
}

if (isGiven('h')) {
  console.log('memcached 1.6.18\n-s, --unix-socket=<file>\n-F, --disable-flush-all')
  process.exit(0)
}

const itemBytes = sizeOf(given.I ?? '1m')
if (itemBytes < 1024) fail('Item max size cannot be less than 1024 bytes.')
if (itemBytes > 1024 * MEGABYTE || itemBytes > 128 * MEGABYTE)
  fail('Cannot set item size limit higher than 1/2 of memory max.')
const connections = Number(given.c ?? 1024)
if (!(connections > 0)) fail('Maximum connections must be greater than 0')
if (given.t !== undefined && !(Number(given.t) > 0)) fail('Number of threads must be greater than 0')
if (given.B !== undefined && !['auto', 'ascii', 'binary'].includes(given.B))
  fail(`Invalid value for binding protocol: ${given.B}`)
if (isGiven('S')) fail('this stand-in has no SASL configuration of memcached')

const bytes = Math.max(BYTES_MIN, Number(given.m ?? 64) * MEGABYTE)
const configuration = new Configuration()
configuration.set([
  ['maxclients', String(connections)],
  ['maxmemory', String(bytes)],
  ['maxmemory-policy', isGiven('M') ? 'noeviction' : 'allkeys-lru'],
  ['timeout', tuned.get('idle_timeout') ?? '0'],
])
if (given.s !== undefined) configuration.start('memcached-unixsocket', given.s)
if (given.p !== undefined) configuration.start('memcached-port', given.p)
if (given.l !== undefined) configuration.set([['bind', given.l]])
const host = new Host({
  time: new EngineTime(() => Date.now() + movedMs),
  commands: new CommandTable(COMMANDS),
  configuration,
  bytesMax: Math.max(bytes, itemBytes * 8),
})
const { home } = host
home.cache.itemBytesMax = itemBytes - ITEM_OVERHEAD
if (given.Y !== undefined) {
  home.accessControl.set('default', ['off'])
  for (const line of readFileSync(given.Y, 'utf8').split('\n')) {
    const [name, secret] = line.split(':')
    if (name && secret) home.accessControl.set(name, ['on', `>${secret}`, '~*', '&*', '+@all'])
  }
}
host.start()
new Upkeep(host).start()
const protocol = new MemcachedProtocol(host, options())
const input = new SharedInput()
if (given.s !== undefined) {
  await new Listener(host, protocol, input).listen({ path: given.s, mode: Number.parseInt(given.a ?? '700', 8) })
} else {
  for (const address of (given.l ?? '127.0.0.1').split(',')) {
    try {
      await new Listener(host, protocol, input).listen({ host: address, port: Number(given.p ?? 11211) })
    } catch (error) {
      fail(`failed to listen on TCP port ${given.p}: ${(error as Error).message}`)
    }
  }
}
if (given.P !== undefined) writeFileSync(given.P, `${process.pid}\n`)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) process.on(signal, () => process.exit(0))
