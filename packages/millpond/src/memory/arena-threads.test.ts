import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { KIND, PAGE, STRIPE } from './arena-layout.ts'
import { ArenaMemory } from './arena-memory.ts'
import type { ArenaHandle } from './arena-options.ts'
import { startArenaWorker } from './arena-start.fixture.ts'
import { ArenaTable } from './arena-table.ts'
import {
  type ArenaStop,
  type ArenaTask,
  type ArenaTorture,
  type ArenaTortureReport,
  count,
  isProvable,
  provableValue,
  torture,
} from './arena-worker.fixture.ts'

const workers: Worker[] = []

function start(task: ArenaTask): Worker {
  const worker = startArenaWorker(task)
  workers.push(worker)
  return worker
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

/** The next message of a worker. */
async function said<M>(worker: Worker): Promise<M> {
  const [message] = (await once(worker, 'message')) as [M]
  return message
}

/** Every key's value, if there is one, is what was set under it. */
function checkAll(table: ArenaTable): number {
  let checked = 0
  for (const key of table.keys()) {
    const number = Number(Buffer.from(key).toString().split(':')[1])
    const view = table.peek(key)
    if (view === undefined) continue
    expect(isProvable(view.bytes, view.start, view.end, number)).toBe(true)
    checked++
  }
  return checked
}

/** Pages that stripes have their homes in, and pages that are marked as such: more of these are lost for ever. */
function homePages(handle: ArenaHandle): [homes: number, marked: number] {
  const memory = ArenaMemory.attach(handle.buffer)
  const { words, layout } = memory
  let homes = 0
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const at = memory.stripeWord(stripe)
    homes += words[at + STRIPE.HOME_PAGES + words[at + STRIPE.HOME]!]!
  }
  const kinds = Array.from({ length: layout.pages }, (_, page) => words[memory.pageWord(page) + PAGE.KIND])
  return [homes, kinds.filter((kind) => kind === KIND.HOME).length]
}

describe('several threads', () => {
  test.each([
    [2, { maxWeight: '2mb', stripes: 4 }, { keys: 3000, bytesMax: 3000, sets: 0.5 }],
    [3, { maxWeight: '4mb', stripes: 1 }, { keys: 300, bytesMax: 60_000, sets: 0.3 }],
    [4, { maxWeight: '8mb', stripes: 16 }, { keys: 20_000, bytesMax: 1500, sets: 0.6 }],
  ] as const)('%i threads never read what was not set', async (threads, options, shape) => {
    const seed = 20_261_121
    const table = new ArenaTable(options)
    const handle = table.share()
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const tasks = Array.from(
      { length: threads },
      (_, n): ArenaTorture => ({ seed: seed + n, operations: 20_000, ...shape }),
    )
    const others = tasks.slice(1).map((task) => start({ kind: 'torture', handle, torture: task, gate }))
    await Promise.all(others.map(said))
    const answers = others.map((worker) => said<ArenaTortureReport>(worker))
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    const reports = [torture(table, tasks[0]!), ...(await Promise.all(answers))]
    expect(
      reports.map(({ wrong }) => wrong),
      `seed ${seed}`,
    ).toEqual(reports.map(() => 0))
    expect(reports.every(({ hits }) => hits > 1000)).toBe(true)
    expect(table.weight).toBeLessThanOrEqual(table.maxWeight)
    checkAll(table)
    table.close()
  })
})

test('what a thread holds, others neither read nor change', async () => {
  const table = new ArenaTable({ maxWeight: '1mb', stripes: 8 })
  const handle = table.share()
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const work = { rounds: 20_000, counters: 20 }
  const others = [1, 2].map(() => start({ kind: 'count', handle, count: work, gate }))
  await Promise.all(others.map(said))
  const ends = others.map(said)
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  count(table, work)
  await Promise.all(ends)
  let sum = 0
  for (let counter = 0; counter < work.counters; counter++) {
    const view = table.get(`count:${counter}`)!
    sum += new DataView(view.bytes.buffer, view.bytes.byteOffset + view.start).getInt32(0)
  }
  expect(sum).toBe(3 * work.rounds)
  table.close()
})

describe('a worker that is killed while it holds locks', () => {
  const stops: readonly ArenaStop[] = Object.entries({
    insert: ['allocate', 'allocated', 'write', 'insert', 'publish'],
    overwrite: ['overwrite'],
    replace: ['allocate', 'write', 'replace', 'free'],
    long: ['allocate 7', 'allocated 9', 'new-page 3', 'free'],
    delete: ['remove', 'free'],
    get: ['hit'],
    churn: ['allocate 900', 'remove 5', 'free 7', 'drain', 'move 3', 'moved 2', 'new-page 2'],
    grow: ['take-run', 'grow', 'grown', 'free-run', 'take-run 2', 'grow 3'],
    shrink: ['shrink', 'switch 8', 'switch 9', 'switch 10'],
  }).flatMap(([mischief, points]) =>
    points.map((point) => {
      const [name, nth = '1'] = point.split(' ')
      return { mischief, point: name, nth: Number(nth) } as ArenaStop
    }),
  )

  test.each(stops)('at $point ($nth) of $mischief stops nobody and leaves nothing torn', async (stop) => {
    const table = new ArenaTable({ maxWeight: '1mb', stripes: 2, seed: [7, 11] })
    const value = new Uint8Array(100)
    for (let number = 0; number < 1000; number++) {
      provableValue(value, number, 1, 100)
      table.set(`key:${number}`, value)
    }
    const worker = start({ kind: 'stop', handle: table.share(), stop })
    expect(await said(worker)).toBe('stopped')
    // Not awaited: a thread that does not return to its event loop must be able to go on as well.
    const ended = worker.terminate()
    const left = checkAll(table)
    expect(left).toBeGreaterThan(stop.mischief === 'shrink' ? 50 : 400)
    expect(table.size).toBe(left)
    expect(torture(table, { seed: 5, operations: 3000, keys: 500, bytesMax: 4000, sets: 0.5 }).wrong).toBe(0)
    expect(table.weight).toBeLessThanOrEqual(table.maxWeight)
    table.clear()
    expect([table.size, table.itemWeight]).toEqual([0, 0])
    const [homes, marked] = homePages(table.share())
    expect(marked).toBe(homes)
    await ended
    table.close()
  })
})
