/** The suite `server`: `millpond serve` as it is built beside redis-server, by redis-benchmark, a core for each side. */

import { seededRandom } from '../../../packages/millpond/src/core/random.ts'
import type { ChildServer } from '../../../tools/servers/child.ts'
import { ask } from '../../../tools/servers/resp.ts'
import { alternate, type Contender, type Figures, type Measured } from '../alternate.ts'
import { atLeast, atMost, exactly, type Row, row, type Suite, type SuiteContext, type Target } from '../suite.ts'
import { churn, fill, type Load, run } from './server/load.ts'
import { forgetPauses, readPauses, TELL_PAUSES } from './server/pauses.ts'
import { build, cpuSeconds, residentBytes, start } from './server/servers.ts'
import { threads } from './server/threads.ts'

/** Commands a second over Redis's, at least. */
const RATES: Readonly<Record<number, (load: Load) => Target>> = {
  1: () => atLeast(0.95),
  16: ({ command, bytes }) => atLeast(command === 'set' && bytes === 1024 ? 1.3 : 1),
  64: () => atLeast(1.2),
}
const OTHERS = ['incr', 'hset', 'lpush', 'sadd', 'zadd'] as const
const FILLS = [
  { count: 100_000, bytes: 1024 },
  { count: 1_000_000, bytes: 100 },
] as const
const OTHER_RATE = atLeast(0.8)
const CHURN_MEMORY = 64 * 2 ** 20

export const suite: Suite = {
  name: 'server',
  summary: 'millpond serve beside redis-server: rates, latencies, memory, and memory under churn',
  options: {
    only: {
      type: 'string',
      summary:
        'rates, others, memory or churn; cpu: rates and others by CPU time, on a busy machine; threads: two beside one',
    },
    load: { type: 'string', summary: 'TEXT: of rates, others and cpu only loads whose names contain it: "GET 100 B"' },
    'churn-minutes': { type: 'string', summary: 'how long the churn goes on, default 1' },
  },
  async run(context) {
    const { only } = context.options
    const wants = (part: string): boolean => only === undefined || only === part
    context.progress('building')
    build()
    return [
      ...(wants('rates') ? await rates(context) : []),
      ...(wants('others') ? await others(context) : []),
      ...(only === 'cpu' ? await cpu(context) : []),
      ...(wants('memory') ? await memory(context) : []),
      ...(wants('churn') ? await churning(context) : []),
      ...(only === 'threads' ? await threads(context) : []),
    ]
  },
}

/** Loads whose rates are judged: values of two sizes, set and got. */
function* judgedLoads(context: SuiteContext): Generator<Load & { readonly name: string }> {
  for (const bytes of [100, 1024]) {
    for (const pipeline of [1, 16, 64]) {
      for (const command of ['set', 'get'] as const) {
        const name = `${command.toUpperCase()} ${bytes} B, ${pipeline} deep`
        if (isWanted(context, name)) yield { name, command, bytes, pipeline, requests: requestsOf(context, pipeline) }
      }
    }
  }
}

function* otherLoads(context: SuiteContext): Generator<Load & { readonly name: string }> {
  for (const command of OTHERS) {
    const name = `${command.toUpperCase()}, 16 deep`
    if (isWanted(context, name)) yield { name, command, bytes: 100, pipeline: 16, requests: requestsOf(context, 16) }
  }
}

function isWanted({ options: { load } }: SuiteContext, name: string): boolean {
  return load === undefined || name.toLowerCase().includes(String(load).toLowerCase())
}

async function rates(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const load of judgedLoads(context)) {
    const { name } = load
    const figures = await compare(context, name, load)
    rows.push(
      row(`${name}: rate`, figures.ratio('millpond', 'redis', 'rate'), 'times', RATES[load.pipeline]!(load)),
      row(`${name}: p99`, figures.ratio('millpond', 'redis', 'p99'), 'times', atMost(1.3)),
      row(`${name}: p99.9`, figures.ratio('millpond', 'redis', 'p999'), 'times', atMost(2)),
      row(`${name}: commands`, figures.spread('millpond', 'rate'), '/s'),
    )
  }
  return rows
}

async function others(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const load of otherLoads(context)) {
    const figures = await compare(context, load.name, load)
    rows.push(row(`${load.name}: rate`, figures.ratio('millpond', 'redis', 'rate'), 'times', OTHER_RATE))
  }
  return rows
}

/** What a core could serve, whoever else has the machine: Redis's CPU time over ours. */
async function cpu(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const load of [...judgedLoads(context), ...otherLoads(context)]) {
    const isOther = (OTHERS as readonly string[]).includes(load.command)
    const figures = await compare(context, load.name, load)
    const target = isOther ? OTHER_RATE : RATES[load.pipeline]!(load)
    rows.push(
      row(`${load.name}: CPU, Redis / Millpond`, figures.ratio('redis', 'millpond', 'cpu'), 'times', target),
      row(`${load.name}: CPU of Millpond`, figures.spread('millpond', 'cpu'), 'us'),
    )
  }
  return rows
}

function requestsOf({ quick }: SuiteContext, pipeline: number): number {
  return (quick ? 50_000 : 200_000) * (pipeline === 1 ? 0.5 : pipeline === 16 ? 3 : 5)
}

/** Both servers, which stay up for all rounds of one load; keys are there before it begins. */
async function compare(context: SuiteContext, name: string, load: Load): Promise<Figures> {
  const contenders: Contender[] = []
  const servers = [await start('millpond'), await start('redis')]
  try {
    for (const [at, server] of servers.entries()) {
      await run(server.port, { ...load, command: 'set', pipeline: 16, requests: 300_000 })
      contenders.push({ name: at === 0 ? 'millpond' : 'redis', turn: () => measure(server, load) })
    }
    const rounds = context.rounds(7)
    return await alternate(contenders, {
      rounds,
      warmup: 1,
      progress: (round) => context.progress(`${name}: round ${round + 1} of ${rounds}`),
    })
  } finally {
    for (const server of servers) await server.destroy()
  }
}

async function measure({ port, pid }: ChildServer, load: Load): Promise<Measured> {
  const before = cpuSeconds(pid)
  const measured = await run(port, load)
  return { ...measured, cpu: ((cpuSeconds(pid) - before) / load.requests) * 1e6 }
}

async function memory(context: SuiteContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const { count, bytes } of FILLS) {
    const resident: number[] = []
    for (const name of ['millpond', 'redis'] as const) {
      context.progress(`${name}: ${count} values of ${bytes} B`)
      await using server = await start(name)
      await fill(server.port, context.quick ? count / 10 : count, bytes)
      resident.push(residentBytes(server.pid))
      await server.destroy()
    }
    const [ours, theirs] = resident as [number, number]
    rows.push(
      row(`resident, ${count.toLocaleString('en')} values of ${bytes} B`, ours / theirs, 'times', atMost(1.4)),
      row(`resident of millpond, ${count.toLocaleString('en')} values of ${bytes} B`, ours / 2 ** 20, 'MiB'),
    )
  }
  return rows
}

/** Values of 16 B to 64 KiB, few of them long, in a cache that holds a tenth of the keys. */
async function churning(context: SuiteContext): Promise<Row[]> {
  const minutes = Number(context.options['churn-minutes'] ?? 1) * (context.quick ? 0.1 : 1)
  await using server = await start('millpond', `${CHURN_MEMORY}`, TELL_PAUSES)
  const random = seededRandom(7)
  const work = churn(
    server.port,
    minutes * 60_000,
    () => Math.floor(16 * 4096 ** (random() ** 2)),
    () => Math.floor(random() * 200_000),
  )
  let most = 0
  let done = false
  void work.finally(() => {
    done = true
  })
  while (!done) {
    most = Math.max(most, await usedMemory(server.port))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await work
  const { longestMs, long } = readPauses(server.pid)
  forgetPauses(server.pid)
  return [
    row('longest pause of the churn, in time of the processor', longestMs, 'ms', atMost(20)),
    row('pauses above 20 ms', long, 'pauses', exactly(0)),
    row(`memory used over its bound, churn of ${minutes} min`, most / CHURN_MEMORY, 'times', atMost(1.05)),
    row('resident after the churn', residentBytes(server.pid) / 2 ** 20, 'MiB'),
  ]
}

async function usedMemory(port: number): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await ask({ port }, 'INFO', 'memory')))?.[1])
}
