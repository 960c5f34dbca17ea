/** How fast changes are read: a backlog of commits, and one commit of very many rows. */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Remote } from '../../remote.ts'
import { spread } from '../../statistics.ts'
import { atLeast, atMost, type Row, row, type SuiteContext } from '../../suite.ts'
import type { serve } from './listener.ts'
import { makeTable } from './table.ts'

type Listener = Awaited<ReturnType<typeof serve>>

const ROWS_OF_A_COMMIT = 100
const ROWS_OF_THE_LARGE = 300_000

export async function decoding(context: SuiteContext, url: string): Promise<Row[]> {
  await makeTable(url, ROWS_OF_THE_LARGE)
  const writer = new pg.Client(url)
  await writer.connect()
  try {
    return [...(await backlogs(context, url, writer)), ...(await largeCommits(context, url, writer))]
  } finally {
    await writer.end()
  }
}

function start(url: string, slot?: string): Promise<Remote<Listener>> {
  return Remote.start<Listener>({ module: new URL('./listener.ts', import.meta.url), argument: { url, slot } })
}

async function backlogs(context: SuiteContext, url: string, writer: pg.Client): Promise<Row[]> {
  const kinds = [
    { name: `${ROWS_OF_A_COMMIT} rows a commit`, rows: ROWS_OF_A_COMMIT, commits: context.quick ? 500 : 2000 },
    { name: '1 row a commit', rows: 1, commits: context.quick ? 10_000 : 40_000 },
  ]
  const found = kinds.map(() => ({ perSecond: [] as number[], cpu: [] as number[] }))
  const rounds = context.rounds(7)
  const listener = await start(url, 'millpond_bench')
  try {
    await listener.call('leave')
    for (let round = -1; round < rounds; round++) {
      for (const [at, { name, rows, commits }] of kinds.entries()) {
        context.progress(`decoding ${name}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}`)
        await commitMany(writer, commits, rows)
        const told = await listener.call('backlog', { commits })
        await listener.call('leave')
        if (round < 0) continue
        found[at]!.perSecond.push((told.changes * 1000) / told.ms)
        found[at]!.cpu.push((told.cpuMs * 1000) / told.changes)
      }
    }
  } finally {
    await listener.close()
    await writer.query("SELECT pg_drop_replication_slot('millpond_bench')")
  }
  const [many, single] = found
  return [
    row(`changed rows decoded from a backlog, ${kinds[0]!.name}`, spread(many!.perSecond), 'rows/s', atLeast(120_000)),
    row(`CPU of the feed's process, ${kinds[0]!.name}`, spread(many!.cpu), 'us/row'),
    row(`commits decoded from a backlog, ${kinds[1]!.name}`, spread(single!.perSecond), 'commits/s', atLeast(45_000)),
    row(`CPU of the feed's process, ${kinds[1]!.name}`, spread(single!.cpu), 'us/commit', atMost(15)),
  ]
}

/** Many small transactions, run inside the server, so that they are there quickly. */
async function commitMany(writer: pg.Client, commits: number, rows: number): Promise<void> {
  await writer.query(`DO $$ BEGIN FOR n IN 0..${commits - 1} LOOP
    UPDATE items SET version = version + 1 WHERE id >= (n * ${rows}) % ${ROWS_OF_THE_LARGE} AND id < (n * ${rows}) % ${ROWS_OF_THE_LARGE} + ${rows};
    COMMIT; END LOOP; END $$`)
}

async function largeCommits(context: SuiteContext, url: string, writer: pg.Client): Promise<Row[]> {
  const rounds = context.rounds(7)
  const after: number[] = []
  const lasted: number[] = []
  const listener = await start(url)
  try {
    for (let round = -1; round < rounds; round++) {
      context.progress(`a commit of 300,000 rows: ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}`)
      const beganAtMs = performance.now()
      await writer.query('UPDATE items SET version = version + 1')
      const acknowledgedAt = process.hrtime.bigint()
      const tookMs = performance.now() - beganAtMs
      const toldAt = BigInt(await listener.call('toldAt', { commits: 1 }))
      // Old versions of rows would make each round slower than the one before.
      await writer.query('VACUUM items')
      await sleep(200)
      if (round < 0) continue
      after.push(Number(toldAt - acknowledgedAt) / 1e6)
      lasted.push(tookMs)
    }
  } finally {
    await listener.close()
  }
  return [
    row('a commit of 300,000 rows acknowledged to told', spread(after), 'ms', atMost(400)),
    row('how long its UPDATE took', spread(lasted), 'ms'),
  ]
}
