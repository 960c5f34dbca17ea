/** What a cache says of itself by INFO, as fields; and what those mean for a person. */
import type { Service } from 'millpond/service'

/** Fields of INFO by name. */
export type InfoFields = Readonly<Record<string, string>>

/** Reads INFO. @throws ServiceError */
export async function readInfo(service: Service, ...sections: readonly string[]): Promise<InfoFields> {
  const text = (await service.command('INFO', ...sections)) as string
  const lines = text.split('\r\n').map((line) => /^([^#:][^:]*):(.*)$/.exec(line))
  return Object.fromEntries(lines.flatMap((line) => (line === null ? [] : [[line[1]!, line[2]!]])))
}

/** What is looked at again and again. Sums since the start, except where it says otherwise. */
export interface Look {
  readonly atMs: number
  readonly commands: number
  readonly hits: number
  readonly misses: number
  readonly evicted: number
  readonly expired: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Now. */
  readonly clients: number
  readonly blocked: number
  readonly usedBytes: number
  readonly maxBytes: number
  readonly keys: number
  /** Calls and microseconds of each command. */
  readonly calls: ReadonlyMap<string, { readonly calls: number; readonly microseconds: number }>
}

export async function look(service: Service): Promise<Look> {
  const info = await readInfo(service, 'stats', 'clients', 'memory', 'keyspace', 'commandstats')
  const number = (name: string): number => Number(info[name] ?? 0)
  const databases = Object.entries(info).filter(([name]) => /^db\d+$/.test(name))
  return {
    atMs: performance.now(),
    commands: number('total_commands_processed'),
    hits: number('keyspace_hits'),
    misses: number('keyspace_misses'),
    evicted: number('evicted_keys'),
    expired: number('expired_keys'),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    clients: number('connected_clients'),
    blocked: number('blocked_clients'),
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    keys: databases.reduce((sum, [, text]) => sum + Number(/keys=(\d+)/.exec(text)?.[1] ?? 0), 0),
    calls: callsOf(info),
  }
}

function callsOf(info: InfoFields): Look['calls'] {
  const calls = new Map<string, { calls: number; microseconds: number }>()
  for (const [name, text] of Object.entries(info)) {
    const command = /^cmdstat_(.+)$/.exec(name)?.[1]
    const [, count, microseconds] = /calls=(\d+),usec=([\d.]+)/.exec(text) ?? []
    if (command !== undefined && count !== undefined) {
      calls.set(command.replace('|', ' '), { calls: Number(count), microseconds: Number(microseconds) })
    }
  }
  return calls
}

/** What happened between two looks, a second. */
export interface Rates {
  readonly commands: number
  readonly hitRate: number | undefined
  readonly evicted: number
  readonly expired: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Those that were called, the most called first. */
  readonly calls: readonly { readonly name: string; readonly calls: number; readonly microseconds: number }[]
}

export function ratesBetween(before: Look, now: Look): Rates {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000)
  const rate = (name: 'commands' | 'evicted' | 'expired' | 'bytesIn' | 'bytesOut'): number =>
    Math.max(0, now[name] - before[name]) / seconds
  const [hits, misses] = [now.hits - before.hits, now.misses - before.misses]
  const calls = [...now.calls].map(([name, sum]) => {
    const was = before.calls.get(name) ?? { calls: 0, microseconds: 0 }
    const count = sum.calls - was.calls
    return { name, calls: count / seconds, microseconds: count > 0 ? (sum.microseconds - was.microseconds) / count : 0 }
  })
  return {
    commands: rate('commands'),
    hitRate: hits + misses > 0 ? hits / (hits + misses) : undefined,
    evicted: rate('evicted'),
    expired: rate('expired'),
    bytesIn: rate('bytesIn'),
    bytesOut: rate('bytesOut'),
    calls: calls.filter((one) => one.calls > 0).sort((one, other) => other.calls - one.calls),
  }
}
