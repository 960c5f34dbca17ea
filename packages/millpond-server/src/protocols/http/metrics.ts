/** The page that Prometheus reads: everything is read from what is counted anyway, when it asks. */
import type { Counter, Registry } from 'prom-client'
import type { Host } from '../../commands/host.ts'
import type { Service } from '../../commands/service.ts'
import { OF_CACHES, OF_HOST } from './metrics-table.ts'

/** How finely the event loop is watched. */
const RESOLUTION_MS = 20
/** The histogram's borders, in powers of two of a microsecond: every second one, to 17 s. */
const POWERS = Array.from({ length: 13 }, (_, at) => at * 2)

interface Point {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

export class Metrics {
  readonly #host: Host
  #registry: Promise<Registry> | undefined

  constructor(host: Host) {
    this.#host = host
  }

  /** All of it, and its media type. Who never asks pays for nothing: nothing is loaded and watched before the first time. */
  async page(): Promise<{ readonly type: string; readonly text: string }> {
    this.#registry ??= makeRegistry(this.#host)
    const registry = await this.#registry
    return { type: registry.contentType, text: await registry.metrics() }
  }
}

const known = new WeakMap<Host, Metrics>()

/** The metrics of a host: one for all its listeners. */
export function metricsOf(host: Host): Metrics {
  const metrics = known.get(host) ?? new Metrics(host)
  known.set(host, metrics)
  return metrics
}

async function makeRegistry(host: Host): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client')
  const registry = new Registry()
  const add = (type: string, name: string, help: string, read: () => readonly Point[]): void => {
    registry.registerMetric(readMetric(`millpond_${name}`, type, help, read))
  }
  for (const [name, kind, help, read] of OF_CACHES) {
    add(kind, name, help, () => ofEach(host, (cache, service) => [{ labels: { cache }, value: read(service) }]))
  }
  for (const [name, kind, help, read] of OF_HOST) add(kind, name, help, () => [{ labels: {}, value: read(host) }])
  add('histogram', DURATION, 'How long commands ran', () => ofEach(host, durations))
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: RESOLUTION_MS })
  return registry
}

function ofEach(host: Host, read: (cache: string, service: Service) => readonly Point[]): readonly Point[] {
  return [...host.services].flatMap(([cache, service]) => read(cache, service))
}

/** A metric whose points are read when it is asked for: prom-client's own keep numbers of theirs. */
function readMetric(name: string, type: string, help: string, read: () => readonly Point[]): Counter {
  const metric = { name, type, help, aggregator: 'sum', get: async () => ({ ...metric, values: read() }) }
  return metric as unknown as Counter
}

const DURATION = 'command_duration_seconds'

/** Of each command that was called, in how many calls it took up to 1, 4, 16 … µs. */
function durations(cache: string, { commands, statistics }: Service): Point[] {
  statistics.end()
  return commands.entries.flatMap((entry) => {
    const counts = statistics.histogramOf(entry)
    if (counts === undefined) return []
    const labels = { cache, command: entry.fullName }
    const upTo = (power: number): number => counts.subarray(0, power + 1).reduce((sum, count) => sum + count, 0)
    const total = upTo(counts.length)
    const bucket = (le: string | number, value: number): Point => ({
      metricName: `millpond_${DURATION}_bucket`,
      labels: { ...labels, le },
      value,
    })
    return [
      ...POWERS.map((power) => bucket(2 ** power / 1e6, upTo(power))),
      bucket('+Inf', total),
      { metricName: `millpond_${DURATION}_sum`, labels, value: statistics.microseconds[entry.id]! / 1e6 },
      { metricName: `millpond_${DURATION}_count`, labels, value: total },
    ]
  })
}
