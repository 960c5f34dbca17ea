/** One table in one thread, in one thread with locks, and in two threads. */

import { once } from 'node:events'
import { ArenaTable } from 'millpond/memory'
import { startArenaWorker } from '../../../../packages/millpond/src/memory/arena-start.fixture.ts'
import { type ArenaLoad, load } from '../../../../packages/millpond/src/memory/arena-worker.fixture.ts'

export interface ThreadRound {
  /** Operations a second of two threads together over those of one. */
  readonly throughput: number
  /** CPU time of an operation in two threads over that in one. */
  readonly cpu: number
  /** CPU time of an operation in one thread of a shared table over that in a table of its own. */
  readonly locks: number
}

const KEYS = 100_000

/** Rounds of each, in turns. */
export async function threadRounds(rounds: number, operations: number): Promise<ThreadRound[]> {
  const options: ArenaLoad = { seed: 1, operations, keys: KEYS, sets: 0.05 }
  const own = filled()
  const shared = filled()
  const handle = shared.share()
  load(own, { ...options, operations: 100_000 })
  const measured: ThreadRound[] = []
  for (let round = 0; round < rounds; round++) {
    const one = await inThreads(1, handle, options)
    const two = await inThreads(2, handle, options)
    const alone = cpuOf(() => load(own, options))
    const locked = cpuOf(() => load(shared, options))
    measured.push({
      throughput: (2 * one.wallMs) / two.wallMs,
      cpu: two.cpuMs / 2 / one.cpuMs,
      locks: locked / alone,
    })
  }
  shared.close()
  return measured
}

function filled(): ArenaTable {
  const table = new ArenaTable({ maxWeight: '64mb', stripes: 64 })
  load(table, { seed: 2, operations: KEYS * 5, keys: KEYS, sets: 1 })
  return table
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

async function inThreads(
  count: number,
  handle: ReturnType<ArenaTable['share']>,
  options: ArenaLoad,
): Promise<{ wallMs: number; cpuMs: number }> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const workers = Array.from({ length: count }, (_, number) =>
    startArenaWorker({ kind: 'load', handle, load: { ...options, seed: number + 10 }, gate }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const done = workers.map((worker) => once(worker, 'message'))
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  await Promise.all(done)
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpu)
  await Promise.all(workers.map((worker) => worker.terminate()))
  return { wallMs, cpuMs: (user + system) / 1000 }
}
