import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import type { CommandEntry } from '../command-table.ts'
import { withHelp } from '../help.ts'
import type { LatencyEvent } from './latency-monitor.ts'

const common = { since: '2.8.13', group: 'server', flags: ['admin', 'noscript', 'loading', 'stale'] } as const

const latest: Command = {
  ...common,
  name: 'latest',
  summary: 'Returns the latest latency samples for all events.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    const { events } = service.latency
    reply.array(events.size)
    for (const [name, { samples, maxMs }] of events) {
      const last = samples.at(-1)!
      reply.array(4)
      reply.bulk(name)
      reply.integer(last.atSeconds)
      reply.integer(last.ms)
      reply.integer(maxMs)
    }
  },
}

const history: Command = {
  ...common,
  name: 'history',
  summary: 'Returns timestamp-latency samples for an event.',
  complexity: 'O(1)',
  arity: 3,
  syntax: 'event',
  run({ service }, args, reply) {
    const samples = service.latency.events.get(args.text(2))?.samples ?? []
    reply.array(samples.length)
    for (const { atSeconds, ms } of samples) {
      reply.array(2)
      reply.integer(atSeconds)
      reply.integer(ms)
    }
  },
}

const reset: Command = {
  ...common,
  name: 'reset',
  summary: 'Resets the latency data for one or more events.',
  complexity: 'O(1)',
  arity: -2,
  syntax: '[event [event ...]]',
  run({ service }, args, reply) {
    reply.integer(service.latency.reset(args.texts(2)))
  },
}

/** Heights of columns in a picture, lowest first. */
const COLUMNS = '_o#'

const graph: Command = {
  ...common,
  name: 'graph',
  summary: 'Returns a latency graph for an event.',
  complexity: 'O(1)',
  arity: 3,
  syntax: 'event',
  run({ service }, args, reply) {
    const name = args.text(2)
    const event = service.latency.events.get(name)
    if (event === undefined) throw new ReplyError(`No samples available for event '${name}'`)
    reply.verbatim('txt', picture(name, event, service.time.nowMs))
  },
}

function picture(name: string, { samples }: LatencyEvent, nowMs: number): string {
  const all = samples.map(({ ms }) => ms)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const height = (ms: number): number => (high === low ? 1 : Math.round(((ms - low) / (high - low)) * 8) + 1)
  const rows = Array.from({ length: 3 }, (_, row) =>
    all.map((ms) => COLUMNS[Math.min(2, Math.max(0, height(ms) - (2 - row) * 3 - 1))] ?? ' ').join(''),
  )
  const ages = samples.map(({ atSeconds }) => `${Math.max(0, Math.floor(nowMs / 1000) - atSeconds)}s`)
  const line = '-'.repeat(80)
  return `${name} - high ${high} ms, low ${low} ms (all time high ${high} ms)\n${line}\n${rows.join('\n')}\n\n${ages.join(' ')}\n`
}

const doctor: Command = {
  ...common,
  name: 'doctor',
  summary: 'Returns a human-readable latency analysis report.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    const { events } = service.latency
    const enabled = service.settings.latencyMs > 0
    const lines = [...events].map(([name, { samples, maxMs }], at) => {
      const average = samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length
      return `${at + 1}. ${name}: ${samples.length} latency spikes (average ${average.toFixed(0)}ms, worst ${maxMs}ms).`
    })
    if (!enabled && lines.length === 0) {
      reply.verbatim(
        'txt',
        'I\'m sorry, Dave, I can\'t do that. Latency monitoring is disabled in this server. You may use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n',
      )
    } else if (lines.length === 0) {
      reply.verbatim(
        'txt',
        'Dave, no latency spike was observed during the lifetime of this server, not in the slightest bit.\n',
      )
    } else {
      reply.verbatim(
        'txt',
        `Dave, I have observed latency spikes in this server. Here is a report:\n\n${lines.join('\n')}\n\nWhat helps: a lower count of keys in one command, SCAN instead of KEYS, and a look at SLOWLOG GET.\n`,
      )
    }
  },
}

const histogram: Command = {
  ...common,
  name: 'histogram',
  since: '7.0.0',
  summary: 'Returns the cumulative distribution of latencies of a subset or all commands.',
  complexity: 'O(N) where N is the number of commands with latency information being retrieved.',
  arity: -2,
  syntax: '[command [command ...]]',
  run({ service }, args, reply) {
    service.statistics.end()
    const entries =
      args.count === 2 ? service.commands.entries : args.texts(2).flatMap((name) => named(service.commands.named(name)))
    const shown = entries
      .map((entry) => ({ entry, counts: service.statistics.histogramOf(entry) }))
      .filter(({ counts }) => counts !== undefined)
    reply.map(shown.length)
    for (const { entry, counts } of shown) {
      const steps = cumulated(counts!)
      reply.bulk(entry.fullName)
      reply.map(2)
      reply.bulk('calls')
      reply.integer(counts!.reduce((sum, count) => sum + count, 0))
      reply.bulk('histogram_usec')
      reply.map(steps.length)
      for (const [upTo, sum] of steps) {
        reply.integer(upTo)
        reply.integer(sum)
      }
    }
  },
}

/** A container's name stands for its commands too. */
function named(entry: CommandEntry | undefined): CommandEntry[] {
  return entry === undefined ? [] : [entry, ...(entry.children ?? [])]
}

/** Steps of a histogram up to where all is counted: up to so many µs, so many calls. */
function cumulated(counts: Float64Array): [upTo: number, sum: number][] {
  const steps: [number, number][] = []
  let sum = 0
  counts.forEach((count, power) => {
    sum += count
    if (count > 0) steps.push([2 ** power, sum])
  })
  return steps
}

/** What took long, and how long commands take. */
export const latency: Command = {
  name: 'latency',
  since: '2.8.13',
  group: 'server',
  summary: 'A container for latency diagnostics commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('latency', '2.8.13', [doctor, graph, histogram, history, latest, reset]),
  run() {},
}
