/** Room on V8's heap for what a service may hold: its bound comes from the machine, not from `--memory`, and is fixed at the start. */
import { spawn } from 'node:child_process'
import { getHeapStatistics } from 'node:v8'

/** Lists, hashes, sets and streams are objects; what they take on the heap over what they count, with what awaits collection. */
const HEAP_OVER_MEMORY = 1.5
/** The server itself, its clients, scripts. */
const BESIDE = 256 * 2 ** 20

/** The program is what it was for a caller: its exit code once it has ended. */
export type Ended = Promise<number>

/**
 * Starts this program again with a larger heap, if the one it has would not do for so much memory: a service whose heap
 * is full is ended by V8, with all that it holds. Signals are passed on, and the second process ends with the first.
 * `undefined`: there is room.
 */
export function withLargerHeap(memoryBytes: number): Ended | undefined {
  const needed = Math.ceil((memoryBytes * HEAP_OVER_MEMORY + BESIDE) / 2 ** 20)
  const present = Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20)
  if (present >= needed || isSecond()) return undefined
  const [script, ...words] = process.argv.slice(1)
  const args = [...process.execArgv, `--max-old-space-size=${needed}`, script!, ...words]
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, pass)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : ENDED_BY_SIGNAL)))
  })
}

/** Calls when the process that started this one is gone, if this is a second one. */
export function whenFirstEnds(run: () => void): void {
  process.once('disconnect', run)
  // Nothing is ever said by that channel: it keeps nobody from ending.
  process.channel?.unref()
}

function isSecond(): boolean {
  return process.execArgv.some((word) => word.startsWith('--max-old-space-size='))
}

/** As shells have it for SIGKILL. */
const ENDED_BY_SIGNAL = 137
