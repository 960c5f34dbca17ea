/** Starts `arena-worker.fixture.ts` in a thread: bundled once, because a thread that loads TypeScript by itself takes long to start. */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { buildSync } from 'esbuild'
import type { ArenaTask } from './arena-worker.fixture.ts'

let bundle: URL | undefined

export function startArenaWorker(task: ArenaTask): Worker {
  bundle ??= new URL(`data:text/javascript;base64,${makeBundle()}`)
  return new Worker(bundle, { workerData: task })
}

function makeBundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('./arena-worker.fixture.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
  })
  return Buffer.from(outputFiles[0]!.contents).toString('base64')
}
