/** Several processes that hear of every commit: each with a slot of its own, or by one that feeds the others over a bus. */

import { existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { startRedis } from '../../../../tools/servers/redis.ts'
import { Remote } from '../../remote.ts'
import { quantile, spread } from '../../statistics.ts'
import { type Row, row, type SuiteContext } from '../../suite.ts'
import type { serve as serveListener } from './listener.ts'
import { makeTable } from './table.ts'
import type { Moments, serve as serveWriter } from './writer.ts'

type Listener = Awaited<ReturnType<typeof serveListener>>
type Writer = Awaited<ReturnType<typeof serveWriter>>

const PROCESSES = 4
const PER_SECOND = 1000

export async function fleet(context: SuiteContext, url: string): Promise<Row[]> {
  await makeTable(url)
  const redis = await startRedis()
  const writer = await Remote.start<Writer>({ module: new URL('./writer.ts', import.meta.url), argument: { url } })
  const ways = { 'a slot each': undefined, 'one feeder, over Redis': redis.url }
  const found = new Map(Object.keys(ways).map((way) => [way, { p50: [] as number[], server: [] as number[] }]))
  try {
    const rounds = context.rounds(5)
    for (let round = -1; round < rounds; round++) {
      for (const [way, relay] of Object.entries(ways)) {
        context.progress(`fleet: ${way}, ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}`)
        const listeners = await startListeners(url, relay)
        const pids = await walsenders(url)
        const before = cpuMs(pids)
        const acknowledged = await writer.call('write', { perSecond: PER_SECOND, forMs: context.quick ? 1000 : 3000 })
        const evicted = await Promise.all(listeners.map((listener) => listener.call('evicted')))
        const usedMs = cpuMs(pids) - before
        await Promise.all(listeners.map((listener) => listener.close()))
        if (round < 0) continue
        found.get(way)!.p50.push(
          quantile(
            evicted.flatMap((moments) => delays(acknowledged, moments)),
            0.5,
          ),
        )
        found.get(way)!.server.push((usedMs * 1000) / Object.keys(acknowledged).length)
      }
    }
  } finally {
    await writer.close()
    await redis.destroy()
  }
  return [...found].flatMap(([way, { p50, server }]) => [
    row(`${PROCESSES} processes, ${way}: commit to eviction, p50`, spread(p50), 'ms'),
    ...(HAS_PROC
      ? [row(`${PROCESSES} processes, ${way}: CPU of the server's walsenders`, spread(server), 'us/commit')]
      : []),
  ])
}

async function startListeners(url: string, relay: string | undefined): Promise<Remote<Listener>[]> {
  const module = new URL('./listener.ts', import.meta.url)
  const listeners: Remote<Listener>[] = []
  // One after the other: the first one feeds.
  for (let at = 0; at < PROCESSES; at++)
    listeners.push(await Remote.start<Listener>({ module, argument: { url, ...(relay !== undefined && { relay }) } }))
  return listeners
}

async function walsenders(url: string): Promise<number[]> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_replication')
  await client.end()
  return rows.map(({ pid }) => pid)
}

const HAS_PROC = existsSync('/proc/self/stat')

/** Of processes, in steps of ten milliseconds; 0 where the system does not tell. */
function cpuMs(pids: readonly number[]): number {
  if (!HAS_PROC) return 0
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, one) => sum + one, 0) * 10
}

function delays(acknowledged: Moments, evicted: Moments): number[] {
  return Object.entries(acknowledged).map(([id, at]) => {
    if (evicted[id] === undefined) throw new Error(`the write of row ${id} evicted nothing`)
    return Number(BigInt(evicted[id]) - BigInt(at)) / 1e6
  })
}
