/** A simple load on a service: SET and GET of random keys, with what an answer takes. */
import type { Service } from 'millpond/service'
import { columns, milliseconds } from '../columns.ts'
import { print, printJson } from '../print.ts'
import { connect, reachOf } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'

export interface BenchFlags {
  connections: number
  pipeline: number
  operations: number
  bytes: number
  keys: number
}

/** What was measured of one kind of command. */
interface Measured {
  readonly command: string
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export async function bench(flags: ReachFlags & BenchFlags): Promise<void> {
  const reach = reachOf(flags)
  const services = Array.from({ length: flags.connections }, () => connect(reach))
  try {
    await Promise.all(services.map((service) => service.ready()))
    const value = Buffer.alloc(flags.bytes, 'x')
    const measured = [
      await measure('SET', services, flags, (service, key) => service.command('SET', key, value, 'EX', 600)),
      await measure('GET', services, flags, (service, key) => service.call(['GET', key], { asBytes: true })),
    ]
    await clean(services[0]!, flags.keys)
    if (flags.json) printJson({ ...settings(flags), measured })
    else tell(flags, services[0]!.place, measured)
  } finally {
    await Promise.all(services.map((service) => service.close()))
  }
}

async function measure(
  command: string,
  services: readonly Service[],
  { operations, pipeline, keys }: BenchFlags,
  run: (service: Service, key: string) => Promise<unknown>,
): Promise<Measured> {
  const took = new Float64Array(operations)
  let begun = 0
  const work = async (service: Service): Promise<void> => {
    while (begun < operations) {
      const at = begun++
      const beganMs = performance.now()
      await run(service, nameOf(Math.floor(Math.random() * keys)))
      took[at] = performance.now() - beganMs
    }
  }
  const beganMs = performance.now()
  await Promise.all(services.flatMap((service) => Array.from({ length: pipeline }, () => work(service))))
  const seconds = (performance.now() - beganMs) / 1000
  took.sort()
  const at = (share: number): number => took[Math.min(operations - 1, Math.floor(operations * share))]!
  return { command, perSecond: Math.round(operations / seconds), p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

function nameOf(number: number): string {
  return `millpond-bench:${number}`
}

async function clean(service: Service, keys: number): Promise<void> {
  for (let at = 0; at < keys; at += 500) {
    await service.command('UNLINK', ...Array.from({ length: Math.min(500, keys - at) }, (_, more) => nameOf(at + more)))
  }
}

function settings({ connections, pipeline, operations, bytes, keys }: BenchFlags): BenchFlags {
  return { connections, pipeline, operations, bytes, keys }
}

function tell({ connections, pipeline, bytes }: BenchFlags, place: string, measured: readonly Measured[]): void {
  print(`${place}: ${connections} connections, ${pipeline} under way on each, values of ${bytes} bytes`)
  const rows = measured.map((one) => [one.command, one.perSecond, milliseconds(one.p50Ms), milliseconds(one.p99Ms), milliseconds(one.maxMs)]) // biome-ignore format: one line
  for (const line of columns(['command', 'a second', 'p50', 'p99', 'max'], rows)) print(line)
  print('This client shares the machine with what else runs here: compare runs, and trust no single one.')
}
