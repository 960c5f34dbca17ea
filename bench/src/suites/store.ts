/** The suite `store`: what a shared tier on Redis costs, beside plain commands and the other libraries. */

import { ProcessFleet } from '../../../tools/fleet.ts'
import { type RedisServer, startRedis } from '../../../tools/servers/redis.ts'
import { alternate, closeAll, type Figures } from '../alternate.ts'
import { childContender } from '../child.ts'
import { atMost, exactly, type Row, row, type Suite, type SuiteContext, type Target } from '../suite.ts'
import { countCommands } from './store/commands.ts'
import type { Argument } from './store/contender.ts'
import { pinTo } from './store/pin.ts'

const RAW = 'ioredis'
const MILLPOND = 'millpond'
const PEERS = ['layered-loader', 'bentocache', 'cache-manager', 'cacheable'] as const

/** What is judged of Millpond, over plain commands of ioredis in the same rounds. */
const BOUNDS: readonly { measure: string; title: string; target: Target }[] = [
  { measure: 'hitP50', title: 'store hit one by one, p50 / GET + JSON.parse', target: atMost(1.1) },
  { measure: 'hit64', title: 'store hit, 64 at once / 64 GET + JSON.parse', target: atMost(0.45) },
  { measure: 'fill', title: 'read and fenced fill of the store / GET + SET', target: atMost(1.08) },
  { measure: 'delete', title: 'fenced delete of the store / DEL', target: atMost(1.15) },
]

const LOAD_MS = 100
const PROCESSES = 4
const MISSES = 500

export const suite: Suite = {
  name: 'store',
  summary: 'a shared tier on Redis: hits, fenced fills and deletes, commands, and one load for several processes',
  options: { only: { type: 'string', summary: 'TEXT: only Millpond, ioredis and names that contain it' } },
  async run(context) {
    const server = await startRedis()
    try {
      context.note(
        `${pinTo(server.pid, 0) ? 'The server is pinned to core 0, the contenders to the last one.' : 'Nothing is pinned: there is no taskset.'}\n` +
          'Each contender is a process of its own with one connection; times are wall time of one operation, ratios are taken\n' +
          'round by round. A hit is of a value of 170 bytes that the near tier does not have.',
      )
      return [
        ...(await times(context, server)),
        ...(await countCommands(server)),
        ...(await fleetRows(context, server)),
      ]
    } finally {
      await server.destroy()
    }
  },
}

async function times(context: SuiteContext, server: RedisServer): Promise<Row[]> {
  const only = context.options.only
  const names = [RAW, MILLPOND, ...PEERS.filter((name) => typeof only !== 'string' || name.includes(only))]
  const contenders = await Promise.all(
    names.map((name) =>
      childContender({
        name,
        module: new URL('./store/contender.ts', import.meta.url),
        argument: { subject: name, port: server.port, reads: context.quick ? 500 : 2000 } satisfies Argument,
      }),
    ),
  )
  try {
    const figures = await alternate(contenders, {
      rounds: context.rounds(15),
      warmup: 3,
      progress: (round, rounds) => context.progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`),
    })
    const judged = BOUNDS.map(({ measure, title, target }) =>
      row(title, figures.ratio(MILLPOND, RAW, measure), 'times', target),
    )
    return [...judged, ...names.flatMap((name) => beside(figures, name))]
  } finally {
    await closeAll(contenders)
  }
}

function beside(figures: Figures, name: string): Row[] {
  const rows = [
    row(`store hit one by one, p50: ${name}`, figures.spread(name, 'hitP50'), 'us'),
    row(`store hit, 64 at once, each: ${name}`, figures.spread(name, 'hit64'), 'us'),
  ]
  if (name === RAW || name === MILLPOND) return rows
  return [...rows, row(`64 at once, ${MILLPOND} / ${name}`, figures.ratio(MILLPOND, name, 'hit64'), 'times')]
}

async function fleetRows(context: SuiteContext, { url }: RedisServer): Promise<Row[]> {
  const fleet = await ProcessFleet.start({ url, processes: PROCESSES, loadMs: LOAD_MS, misses: MISSES })
  try {
    const rounds = context.rounds(15)
    let loads = 0
    const late: number[] = []
    for (let round = -2; round < rounds; round++) {
      const reports = await fleet.read(`key ${round}`)
      if (round < 0) continue
      loads = Math.max(
        loads,
        reports.reduce((sum, report) => sum + report.loads, 0),
      )
      late.push(Math.max(...reports.map(({ tookMs }) => tookMs)) - LOAD_MS)
    }
    late.sort((one, other) => one - other)
    const title = `lock: 'store', ${PROCESSES} processes with ${MISSES} misses each`
    return [
      row(`${title}: loads, worst of ${rounds}`, loads, 'loads', exactly(1)),
      row(`${title}: slowest reader after the load's ${LOAD_MS} ms`, late[late.length >> 1]!, 'ms', atMost(15)),
    ]
  } finally {
    await fleet.end()
  }
}
