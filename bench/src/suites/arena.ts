/** The suite `arena`: the arena-table beside a Map of Buffers, its pauses, its threads, and whether its values are right. */

import { alternate, type Contender, closeAll } from '../alternate.ts'
import { childContender } from '../child.ts'
import { spread } from '../statistics.ts'
import { atLeast, atMost, exactly, type Row, row, type Suite, type SuiteContext } from '../suite.ts'
import type { Job } from './arena/jobs.ts'
import { killedWorkers, tortured } from './arena/proofs.ts'
import { threadRounds } from './arena/threads.ts'

const MODULE = new URL('./arena/jobs.ts', import.meta.url)

export const suite: Suite = {
  name: 'arena',
  summary: 'bytes outside the heap: speed beside a Map of Buffers, longest pause, threads, torture',
  async run(context) {
    return [
      ...(await speed(context)),
      ...(await pauses(context)),
      ...(await threads(context)),
      ...(await proofs(context)),
    ]
  },
}

function start(name: string, job: Job): Promise<Contender> {
  return childContender({ name, module: MODULE, argument: job, nodeFlags: ['--expose-gc'] })
}

/** Throughput of the arena over the Map's, and what an entry costs beyond key and value. */
async function speed(context: SuiteContext): Promise<Row[]> {
  const entries = context.quick ? 100_000 : 1_000_000
  context.progress(`filling ${entries} entries`)
  const contenders: Contender[] = []
  try {
    contenders.push(await start('map', { kind: 'speed', table: 'map', entries }))
    contenders.push(await start('arena', { kind: 'speed', table: 'arena', entries }))
    const figures = await alternate(contenders, {
      rounds: context.rounds(11),
      progress: (round, rounds) =>
        context.progress(round < 0 ? 'warming up' : `speed, round ${round + 1} of ${rounds}`),
    })
    context.note(
      `Speed: 100-byte values, ${entries.toLocaleString('en')} entries, keys in random order, CPU time, a process each, in turns. Text keys are made\n` +
        'anew for each call on both sides; byte keys are read in place by the arena, and made into a string for the Map.',
    )
    const times = (measure: string) => figures.ratio('map', 'arena', measure)
    return [
      row('get, text key, value in place: arena / Map', times('get'), 'times', atLeast(0.75)),
      row('set, text key: arena / Map', times('set'), 'times', atLeast(0.75)),
      row('get, byte key, value copied out: arena / Map', times('copy'), 'times'),
      row('get in the arena', figures.spread('arena', 'get'), 'ns'),
      row('set in the arena', figures.spread('arena', 'set'), 'ns'),
      row('bytes an entry beyond key and value, arena', figures.spread('arena', 'bytes'), 'bytes'),
      row('bytes an entry beyond key and value, Map of Buffers', figures.spread('map', 'bytes'), 'bytes'),
    ]
  } finally {
    await closeAll(contenders)
  }
}

/** The longest single set while a table grows, churns, and changes, by number of entries. */
async function pauses(context: SuiteContext): Promise<Row[]> {
  const sizes = context.quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000]
  const rows: Row[] = []
  for (const entries of sizes) {
    context.progress(`pauses at ${entries} entries`)
    const contender = await start(`pauses ${entries}`, { kind: 'pauses', entries })
    try {
      const figures = await alternate([contender], { rounds: context.rounds(5), warmup: 1 })
      const name = `${(entries / 1000).toLocaleString('en')}k entries`
      const longest = (measure: string) => Math.min(...figures.of(contender.name, measure))
      rows.push(row(`longest set while it grows to ${name}`, longest('grow'), 'ms', atMost(5)))
      rows.push(row(`longest set while full, new keys, ${name}`, longest('churn'), 'ms', atMost(5)))
      rows.push(row(`longest set while sizes change, ${name}`, longest('sizes'), 'ms', atMost(5)))
    } finally {
      await closeAll([contender])
    }
  }
  context.note(
    'Pauses: each call counts with the lesser of its elapsed and its CPU time; the longest of a table; the least of several\n' +
      'tables that do exactly the same, because what other programs on the machine add is not the same. A table is filled\n' +
      'to its bound, churned with as many new keys of the same size, then with new keys of four sizes.',
  )
  return rows
}

async function threads(context: SuiteContext): Promise<Row[]> {
  context.progress('threads')
  const rounds = await threadRounds(context.rounds(7), context.quick ? 500_000 : 2_000_000)
  context.note(
    'Threads: 100k entries of 100 bytes, 5 % sets, byte keys, values copied out. Elapsed time needs a core for each thread; with\n' +
      'fewer free cores, look at the CPU time an operation takes: as long as it does not rise, a second core doubles the whole.',
  )
  return [
    row(
      'two threads over one, operations a second',
      spread(rounds.map((round) => round.throughput)),
      'times',
      atLeast(1.7),
    ),
    row('two threads over one, CPU time an operation', spread(rounds.map((round) => round.cpu)), 'times'),
    row('locks: shared over not shared, one thread, CPU time', spread(rounds.map((round) => round.locks)), 'times'),
  ]
}

async function proofs(context: SuiteContext): Promise<Row[]> {
  const operations = context.quick ? 50_000 : 1_000_000
  context.progress(`torture, 2 to 4 threads, ${operations} operations each`)
  const { wrong, hits, seed } = await tortured(operations)
  context.progress('workers killed while they hold a lock')
  const killed = await killedWorkers()
  context.note(
    `Torture: seed ${seed}, ${hits.toLocaleString('en')} values read and proved; ${killed.killed} workers killed at named points.`,
  )
  return [
    row('torture, wrong values', wrong, 'values', exactly(0)),
    row('after a killed worker, wrong values or bytes lost', killed.wrong, 'values', exactly(0)),
    row('after a killed worker, longest wait of another', killed.longestWaitMs, 'ms', atMost(1000)),
  ]
}
