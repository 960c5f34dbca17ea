/** A worker that goes into a shared cache and comes out again, over and over, or once and never comes out. */
import { parentPort, workerData } from 'node:worker_threads'
import { ArenaTable } from 'millpond/memory'
import { WorkerTurnstile } from './turnstile.ts'

const { words, handle, stays, counts } = workerData
const table = ArenaTable.open(handle)
const turnstile = new WorkerTurnstile(words, 0, table.member)
if (stays) {
  turnstile.enter()
  parentPort!.postMessage('inside')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
parentPort!.postMessage('begins')
let left = 100_000
while (left > 0) {
  if (!turnstile.enter()) continue
  // Two plain steps: nobody else may come between them.
  const count = counts[0]
  counts[1]++
  counts[0] = count + 1
  turnstile.leave()
  left--
}
parentPort!.postMessage('done')
