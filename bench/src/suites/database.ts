/** The suite `database`: what a warm cache is worth to the trades app, on a real PostgreSQL. */

import pg from 'pg'
import { fillTable, SYMBOLS } from '../../../examples/trades/src/table.ts'
import { startPostgres } from '../../../tools/servers/postgres.ts'
import { alternate, type Contender, closeAll, type Figures } from '../alternate.ts'
import { childContender } from '../child.ts'
import { atLeast, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import type { Argument as AppArgument } from './database/app.ts'
import type { Argument as LoadArgument } from './database/load.ts'

const ROWS = 1_000_000
const ROWS_QUICK = 100_000
const CONNECTIONS = 16
const PATHS = SYMBOLS.flatMap((symbol) => [`/trades/${symbol}/buy`, `/trades/${symbol}/sell`])

const WARM = 'cache warm'
const WITHOUT = 'without cache'

export const suite: Suite = {
  name: 'database',
  summary: 'the trades app on a real PostgreSQL with the cache warm, beside the same app with SKIP_CACHE',
  async run(context) {
    const rows = context.quick ? ROWS_QUICK : ROWS
    context.progress('starting PostgreSQL')
    await using server = await startPostgres()
    await fill(server.url, rows, context)
    const apps: Contender[] = []
    const loads: Contender[] = []
    try {
      for (const skipCache of [false, true]) apps.push(await startApp(server.url, skipCache))
      const [warm, without] = await Promise.all(apps.map(stateOf))
      await prove(warm!.port, without!.port)
      loads.push(await startLoad(WARM, warm!.port, context.quick ? 500 : 2000))
      loads.push(await startLoad(WITHOUT, without!.port, context.quick ? 1000 : 4000))
      const before = await stateOf(apps[0]!)
      const figures = await alternate(loads, {
        rounds: context.rounds(7),
        warmup: 1,
        progress: (round, rounds) => context.progress(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`),
      })
      const after = await stateOf(apps[0]!)
      context.note(
        `${rows.toLocaleString('en')} trades, PostgreSQL ${server.majorVersion}, ${CONNECTIONS} keep-alive connections that send their next request when they\n` +
          'have an answer, over all symbols and sides. App and client have a core each where taskset is there; both apps run on\n' +
          'the same database, in turns. The change feed is on. Both apps were shown to give the same answers first.',
      )
      return report(figures, after.queries - before.queries)
    } finally {
      await closeAll([...loads, ...apps])
    }
  },
}

interface AppState {
  readonly port: number
  readonly queries: number
}

/** What the app's process answers to a turn. */
async function stateOf(app: Contender): Promise<AppState> {
  const state = await app.turn()
  if (typeof state === 'object' && 'port' in state && 'queries' in state) return state as unknown as AppState
  throw new Error('the app did not say where it listens')
}

async function fill(url: string, rows: number, context: SuiteContext): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    context.progress(`filling the table with ${rows.toLocaleString('en')} trades`)
    await fillTable(client, { rows })
  } finally {
    await client.end()
  }
}

function startApp(databaseUrl: string, skipCache: boolean): Promise<Contender> {
  const argument: AppArgument = { databaseUrl, skipCache }
  return childContender({ name: 'app', module: new URL('./database/app.ts', import.meta.url), argument, core: 0 })
}

function startLoad(name: string, port: number, turnMs: number): Promise<Contender> {
  const argument: LoadArgument = { name, port, paths: PATHS, connections: CONNECTIONS, turnMs }
  return childContender({ name, module: new URL('./database/load.ts', import.meta.url), argument })
}

/** Warms the cache, and shows that it answers from memory, and what the app without it answers. */
async function prove(warmPort: number, withoutPort: number): Promise<void> {
  for (const path of PATHS) {
    await ask(warmPort, path)
    const [warm, without] = await Promise.all([ask(warmPort, path), ask(withoutPort, path)])
    if (warm.from !== 'cache' || without.from !== 'database') {
      throw new Error(`${path} was served from ${warm.from} with the cache, and from ${without.from} without it`)
    }
    if (warm.body !== without.body)
      throw new Error(`${path} answered ${warm.body} with the cache, ${without.body} without`)
  }
}

async function ask(port: number, path: string): Promise<{ body: string; from: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  const body = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body}`)
  return { body, from: response.headers.get('x-served-from') }
}

function report(figures: Figures, queriesWhileWarm: number): Row[] {
  const both = [WARM, WITHOUT]
  return [
    row(`requests per second, ${WARM} / ${WITHOUT}`, figures.ratio(WARM, WITHOUT, 'rate'), 'times', atLeast(100)),
    ...both.map((name) => row(`requests per second, ${name}`, figures.spread(name, 'rate'), 'requests/s')),
    ...both.map((name) => row(`median time, ${name}`, figures.spread(name, 'p50'), 'ms')),
    ...both.map((name) => row(`p99 time, ${name}`, figures.spread(name, 'p99'), 'ms')),
    row(`queries that reached the database from the app with the ${WARM}`, queriesWhileWarm, 'queries'),
  ]
}
