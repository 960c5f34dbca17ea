/** The beginning of a worker thread. */
import { workerData } from 'node:worker_threads'
import type { WorkerTask } from './task.ts'
import { WorkerThread } from './worker-thread.ts'

await new WorkerThread(workerData as WorkerTask).start()
