/** The suite `memory`: speed and size of the heap-table beside its neighbours, every library in a process of its own. */

import { alternate, type Contender, closeAll, type Figures } from '../alternate.ts'
import { childContender } from '../child.ts'
import { atLeast, atMost, exactly, type Row, row, type Suite, type SuiteContext, type Target } from '../suite.ts'
import { soak } from './memory/soak.ts'
import type { Job } from './memory/workloads.ts'

const BASE = 'lru-cache'
const NEIGHBOURS = ['quick-lru', 'tiny-lru', 'mnemonist', 'toad-cache', 'sieve-cache', 'transitory']
const OTHER_POLICIES = ['millpond s3Fifo', 'millpond sieve', 'millpond lru']
const MODULE = new URL('./memory/workloads.ts', import.meta.url)

/** One comparison: who does which workload, and what Millpond must reach against lru-cache. */
interface Comparison {
  readonly workload: Job['workload']
  readonly entries: number
  readonly libraries: readonly string[]
  readonly targets?: Readonly<Record<string, Target>>
}

const k = 1000
/** Throughput of a library over lru-cache's. */
const THROUGHPUT: readonly Comparison[] = [
  {
    workload: 'readThrough',
    entries: k,
    libraries: ['millpond', ...OTHER_POLICIES, ...NEIGHBOURS],
    targets: { millpond: atLeast(0.9) },
  },
  { workload: 'readThrough', entries: 10 * k, libraries: ['millpond', ...NEIGHBOURS] },
  {
    workload: 'readThrough',
    entries: 100 * k,
    libraries: ['millpond', ...OTHER_POLICIES, ...NEIGHBOURS],
    targets: { millpond: atLeast(1.3) },
  },
  { workload: 'readThrough', entries: 1000 * k, libraries: ['millpond', ...NEIGHBOURS] },
  { workload: 'hits', entries: k, libraries: ['millpond', ...NEIGHBOURS], targets: { millpond: atLeast(0.9) } },
  {
    workload: 'hits',
    entries: 100 * k,
    libraries: ['millpond', ...OTHER_POLICIES, ...NEIGHBOURS],
    targets: { millpond: atLeast(1.1) },
  },
  {
    workload: 'churn',
    entries: 1000 * k,
    libraries: ['millpond', ...OTHER_POLICIES, ...NEIGHBOURS],
    targets: { millpond: atLeast(1.5) },
  },
]
/** Time of a library over lru-cache's without TTL. */
const TIMES: readonly Comparison[] = [
  {
    workload: 'hits',
    entries: 100 * k,
    libraries: ['millpond ttl, time given', 'millpond ttl', 'lru-cache ttl'],
    targets: { 'millpond ttl': atMost(1), 'millpond ttl, time given': atMost(1) },
  },
  {
    workload: 'updates',
    entries: 100 * k,
    libraries: ['millpond', 'millpond ttl', 'lru-cache ttl', ...NEIGHBOURS],
    targets: { millpond: atMost(0.5) },
  },
]
const BYTES: readonly (readonly [library: string, target?: Target])[] = [
  ['millpond', atMost(70)],
  ['millpond ttl, weight', atMost(80)],
  ['millpond s3Fifo'],
  ['millpond sieve'],
  ['millpond lru'],
  ['lru-cache'],
  ['lru-cache ttl, weight'],
  ...NEIGHBOURS.map((name): [string] => [name]),
]

export const suite: Suite = {
  name: 'memory',
  summary: 'the heap-table beside lru-cache and others: speed, stalls, bytes of an entry',
  options: {
    soak: { type: 'boolean', summary: 'also 10 million random operations against a naive model' },
    seed: { type: 'string', summary: 'N: seed of the soak (default: random, printed)' },
    only: { type: 'string', summary: 'WORDS: only rows whose name has them: readThrough, hits, updates, churn, bytes' },
  },
  async run(context: SuiteContext) {
    const wanted = ({ workload }: { workload: string }) =>
      context.options.only === undefined || context.options.only === workload
    const rows: Row[] = []
    for (const comparison of THROUGHPUT.filter(wanted))
      rows.push(...throughputRows(comparison, await compare(comparison, context)))
    for (const comparison of TIMES.filter(wanted))
      rows.push(...timeRows(comparison, await compare(comparison, context)))
    if (wanted({ workload: 'bytes' })) rows.push(...(await bytesRows(context)))
    if (context.options.soak) rows.push(await soakRow(context))
    context.note(
      'Every library works in a process of its own on the same core, and they take turns. Speed is CPU time of the whole process, garbage\n' +
        'collection included; a stall is the time of 16 sets, as far as the process itself was busy. Every key is a new string object, made outside of the measured time. Throughput is read-through (get, and set after a miss), so a\n' +
        'better hit rate shows in it.',
    )
    return rows
  },
}

async function compare({ workload, entries, libraries }: Comparison, context: SuiteContext): Promise<Figures> {
  const size = context.quick ? Math.min(entries, 100 * k) : entries
  context.progress(`${workload}, ${size.toLocaleString('en')} entries`)
  const contenders: Contender[] = []
  try {
    for (const library of [BASE, ...libraries]) contenders.push(await child({ library, workload, entries: size }))
    return await alternate(contenders, { rounds: context.rounds(workload === 'churn' ? 5 : 9), warmup: 2 })
  } finally {
    await closeAll(contenders)
  }
}

function child(job: Job): Promise<Contender> {
  return childContender({ name: job.library, module: MODULE, argument: job, nodeFlags: ['--expose-gc'] })
}

function throughputRows({ workload, entries, libraries, targets }: Comparison, figures: Figures): Row[] {
  const measure = workload === 'hits' ? '' : 'ns'
  const title = `${workload} at ${entries.toLocaleString('en')}`
  const rows = libraries.map((name) =>
    row(`${title}: ${name}`, figures.ratio(BASE, name, measure), "times lru-cache's", targets?.[name]),
  )
  for (const name of [BASE, ...libraries]) {
    if (workload === 'readThrough')
      rows.push(row(`${title}, hit rate: ${name}`, figures.spread(name, 'hitPercent'), '%'))
    if (workload === 'churn')
      rows.push(
        row(
          `${title}, longest stall: ${name}`,
          figures.spread(name, 'stallMs'),
          'ms',
          name === 'millpond' ? atMost(60) : undefined,
        ),
      )
  }
  rows.push(row(`${title}: ${BASE}`, figures.spread(BASE, measure), 'ns'))
  return rows
}

function timeRows({ workload, entries, libraries, targets }: Comparison, figures: Figures): Row[] {
  return libraries.map((name) =>
    row(
      `time of ${workload} at ${entries.toLocaleString('en')}: ${name}`,
      figures.ratio(name, BASE),
      "times lru-cache's without ttl",
      targets?.[name],
    ),
  )
}

async function bytesRows(context: SuiteContext): Promise<Row[]> {
  const entries = context.quick ? 100 * k : 1000 * k
  const rows: Row[] = []
  for (const [library, target] of BYTES) {
    context.progress(`bytes of ${library}`)
    const contender = await child({ library, workload: 'bytes', entries })
    const bytes = (await contender.turn()) as number
    await closeAll([contender])
    rows.push(row(`bytes of an entry at ${entries.toLocaleString('en')}: ${library}`, bytes, 'bytes', target))
  }
  return rows
}

async function soakRow(context: SuiteContext): Promise<Row> {
  const seed = Number(context.options.seed ?? Math.floor(Math.random() * 2 ** 31))
  const operations = context.quick ? 200_000 : 10_000_000
  context.progress(`soak of ${operations.toLocaleString('en')} operations, seed ${seed}`)
  return row(
    `soak: differences from a naive model in ${operations.toLocaleString('en')} operations, seed ${seed}`,
    soak(operations, seed),
    'differences',
    exactly(0),
  )
}
