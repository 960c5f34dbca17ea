/** `millpond monitor`: every command that a cache is given. */

import { adviceOf, exitCodeOf } from '../exit-codes.ts'
import { remark } from '../print.ts'
import { connect, reachOf } from '../reach.ts'
import type { ReachFlags } from '../reach-flags.ts'

/** Prints until a signal, so many lines, or the end of the connection. Returns the exit code. */
export async function monitor(flags: ReachFlags & { match?: string; count?: number }): Promise<number> {
  const service = connect(reachOf(flags))
  let told = 0
  const { promise, resolve } = deferred<number>()
  const hear = (line: string): void => {
    if (told === flags.count || (flags.match !== undefined && !line.includes(flags.match))) return
    process.stdout.write(`${flags.json ? JSON.stringify(partsOf(line)) : line}\n`)
    if (++told === flags.count) resolve(0)
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(0))
  try {
    const stop = await service.monitor(hear, (error) => {
      remark(`error: ${adviceOf(error)}`)
      resolve(exitCodeOf(error))
    })
    const code = await promise
    stop()
    return code
  } finally {
    await service.close()
  }
}

/** `1700000000.123456 [0 127.0.0.1:5000] "GET" "a"` as what it says. */
function partsOf(line: string): object {
  const [, seconds, database, client, words = ''] = /^([\d.]+) \[(\d+) ([^\]]*)\] (.*)$/s.exec(line) ?? []
  return { atMs: Number(seconds) * 1000, database: Number(database), client, command: words }
}

function deferred<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve!: (value: Value) => void
  const promise = new Promise<Value>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
