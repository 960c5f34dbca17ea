/** Values that prove themselves, under threads that write all the time and threads that are killed. */

import { once } from 'node:events'
import { ArenaTable } from 'millpond/memory'
import { startArenaWorker } from '../../../../packages/millpond/src/memory/arena-start.fixture.ts'
import {
  type ArenaStop,
  type ArenaTorture,
  type ArenaTortureReport,
  provableValue,
  torture,
} from '../../../../packages/millpond/src/memory/arena-worker.fixture.ts'

const SEED = 20_261_121
const SHAPES = [
  { threads: 2, options: { maxWeight: '2mb', stripes: 4 }, keys: 3000, bytesMax: 3000, sets: 0.5 },
  { threads: 3, options: { maxWeight: '16mb', stripes: 16 }, keys: 30_000, bytesMax: 2000, sets: 0.3 },
  { threads: 4, options: { maxWeight: '4mb', stripes: 1 }, keys: 2000, bytesMax: 5000, sets: 0.5 },
] as const

/** Random operations of two, three and four threads on one table. */
export async function tortured(operations: number): Promise<{ wrong: number; hits: number; seed: number }> {
  const sum = { wrong: 0, hits: 0, seed: SEED }
  for (const { threads, options, ...shape } of SHAPES) {
    const table = new ArenaTable(options)
    const handle = table.share()
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const tasks = Array.from({ length: threads }, (_, n): ArenaTorture => ({ seed: SEED + n, operations, ...shape }))
    const workers = tasks.map((task) => startArenaWorker({ kind: 'torture', handle, torture: task, gate }))
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const reports = workers.map((worker) => once(worker, 'message') as Promise<[ArenaTortureReport]>)
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    for (const [report] of await Promise.all(reports)) {
      sum.wrong += report.wrong
      sum.hits += report.hits
    }
    table.close()
  }
  return sum
}

const STOPS: readonly ArenaStop[] = [
  { mischief: 'insert', point: 'insert', nth: 1 },
  { mischief: 'overwrite', point: 'overwrite', nth: 1 },
  { mischief: 'replace', point: 'replace', nth: 1 },
  { mischief: 'long', point: 'allocated', nth: 9 },
  { mischief: 'delete', point: 'free', nth: 1 },
  { mischief: 'churn', point: 'move', nth: 3 },
  { mischief: 'grow', point: 'grown', nth: 2 },
]

/** A worker is killed at each of some points of a write; then another thread uses the whole table. */
export async function killedWorkers(): Promise<{ killed: number; wrong: number; longestWaitMs: number }> {
  const sum = { killed: 0, wrong: 0, longestWaitMs: 0 }
  for (const stop of STOPS) {
    const table = new ArenaTable({ maxWeight: '1mb', stripes: 2 })
    const value = new Uint8Array(100)
    for (let number = 0; number < 1000; number++) {
      provableValue(value, number, 1, 100)
      table.set(`key:${number}`, value)
    }
    const worker = startArenaWorker({ kind: 'stop', handle: table.share(), stop })
    const [said] = (await once(worker, 'message')) as [string]
    if (said !== 'stopped') throw new Error(`${stop.mischief} never comes to ${stop.point}`)
    const ended = worker.terminate()
    const startMs = performance.now()
    for (let number = 0; number < 1000; number++) table.has(`key:${number}`)
    sum.longestWaitMs = Math.max(sum.longestWaitMs, performance.now() - startMs)
    sum.wrong += torture(table, { seed: SEED, operations: 20_000, keys: 500, bytesMax: 4000, sets: 0.5 }).wrong
    table.clear()
    sum.wrong += table.itemWeight
    sum.killed++
    await ended
    table.close()
  }
  return sum
}
