import { notInteger, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { usedMemory } from './info/memory-section.ts'

const common = { since: '4.0.0', group: 'server', flags: [] } as const
/** What a key takes besides its bytes and its value: its place in the index and the table of slots. */
const KEY_BYTES = 48

const usage: Command = {
  ...common,
  name: 'usage',
  summary: 'Estimates the memory usage of a key.',
  complexity: 'O(1)',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, access: 'RO' }],
  syntax: 'key [SAMPLES count]',
  run({ db }, args, reply) {
    if (args.count === 5 && args.is(3, 'samples')) {
      if (args.integer(4, notInteger) < 0) throw syntaxError()
    } else if (args.count !== 3) throw syntaxError()
    const key = args.span(2)
    const value = db.collection(key)
    const bytes = value ? value.weight : db.typeOf(key) === 'string' ? db.editString(key)!.length : undefined
    if (bytes === undefined) reply.nil()
    else reply.integer(KEY_BYTES + key.length + bytes)
  },
}

const stats: Command = {
  ...common,
  name: 'stats',
  summary: 'Returns details about memory usage.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    const { cache, statistics } = service
    const used = usedMemory(service)
    statistics.memoryPeak = Math.max(statistics.memoryPeak, used)
    const facts: readonly (readonly [string, number])[] = [
      ['peak.allocated', statistics.memoryPeak],
      ['total.allocated', used],
      ['startup.allocated', cache.overheadBytes],
      ['replication.backlog', 0],
      ['clients.slaves', 0],
      ['clients.normal', used - cache.usedBytes],
      ['cluster.links', 0],
      ['aof.buffer', 0],
      ['lua.caches', 0],
      ['functions.caches', 0],
      ['overhead.total', cache.overheadBytes],
      ['keys.count', service.databases.reduce((sum, { size }) => sum + size, 0)],
      ['dataset.bytes', cache.dataBytes],
      ['allocator.allocated', used],
      ['allocator.resident', process.memoryUsage.rss()],
    ]
    reply.map(facts.length)
    for (const [name, value] of facts) write(name, value, reply)
  },
}

function write(name: string, value: number, reply: Reply): void {
  reply.bulk(name)
  reply.integer(value)
}

const doctor: Command = {
  ...common,
  name: 'doctor',
  summary: 'Outputs a memory problems report.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    const { cache } = service
    const part = cache.usedBytes / cache.bytesMax
    const advice =
      part > 0.9
        ? `Hi Sam, the cache uses ${(part * 100).toFixed(0)} % of its memory: from here on it evicts, or refuses writes, as maxmemory-policy says.`
        : "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base."
    reply.verbatim('txt', `${advice}\n`)
  },
}

const purge: Command = {
  ...common,
  name: 'purge',
  summary: 'Asks the allocator to release memory: ours gives pages back by itself.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    service.cache.clearAway()
    reply.ok()
  },
}

const mallocStats: Command = {
  ...common,
  name: 'malloc-stats',
  summary: 'Returns the allocator statistics.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    const { usedBytes, dataBytes, capacity, bytesMax } = service.cache
    reply.verbatim('txt', `arena: capacity ${capacity}, bound ${bytesMax}, used ${usedBytes}, data ${dataBytes}\n`)
  },
}

/** What memory goes to. */
export const memory: Command = {
  name: 'memory',
  since: '4.0.0',
  group: 'server',
  summary: 'A container for memory diagnostics commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('memory', '4.0.0', [doctor, mallocStats, purge, stats, usage]),
  run() {},
}
