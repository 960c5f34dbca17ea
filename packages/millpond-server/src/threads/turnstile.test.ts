import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { buildSync } from 'esbuild'
import { ArenaTable } from 'millpond/memory'
import { afterEach, expect, test, vi } from 'vitest'
import { HomeTurnstile, turnstileWords } from './turnstile.ts'

// Of a machine that does much else at the same time.
vi.setConfig({ testTimeout: 60_000 })

const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

/** A thread that loads TypeScript by itself takes long to start. */
function bundle(): URL {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('./turnstile.fixture.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@millpond/source'],
    write: false,
  })
  return new URL(`data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`)
}

function begin(stays: boolean): { worker: Worker; turnstile: HomeTurnstile; counts: Int32Array } {
  const table = new ArenaTable({ maxWeight: '1mb' })
  const words = turnstileWords(1)
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { words, handle: table.share(), stays, counts }
  const worker = new Worker(bundle(), { workerData })
  workers.push(worker)
  return { worker, turnstile: new HomeTurnstile(words, 1, (member) => table.isGone(member)), counts }
}

test('who has shut it is alone until it opens it', async () => {
  const { worker, turnstile, counts } = begin(false)
  expect(await once(worker, 'message')).toEqual(['begins'])
  let shut = 0
  for (; counts[0]! < 90_000; shut++) {
    turnstile.shut()
    const count = counts[0]!
    expect(counts[1]).toBe(count)
    counts[1]!++
    counts[0] = count + 1
    turnstile.open(shut % 10 === 0)
    if (shut % 10 === 0) turnstile.open(false)
  }
  await once(worker, 'message')
  expect([...counts]).toEqual([100_000 + shut, 100_000 + shut])
})

test('a worker that dies inside keeps nobody out', async () => {
  const { worker, turnstile } = begin(true)
  expect(await once(worker, 'message')).toEqual(['inside'])
  // Not awaited: home does not return to its event loop before it has everything for itself.
  const ended = worker.terminate()
  turnstile.shut()
  turnstile.open(false)
  await ended
})
