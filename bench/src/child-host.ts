/** The inside of a child process (child.ts): prepares the contender that it is told of, and answers each request. */

import type { Contender } from './alternate.ts'
import type { ChildReply, ChildRequest, Prepare } from './child.ts'

const [module, argument] = process.argv.slice(2)
const say = (reply: ChildReply): void => void process.send!(reply)

async function answer(contender: Contender, request: ChildRequest): Promise<void> {
  if (request === 'close') {
    await contender.close?.()
    // Not process.exit: a profile that was asked for is written on the way out.
    process.disconnect()
    setTimeout(() => process.exit(0), 2000).unref()
    return
  }
  say({ measured: await contender.turn() })
}

function fail(error: unknown): void {
  say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}

try {
  const { prepare } = (await import(module!)) as { prepare: Prepare<unknown> }
  const contender = await prepare(JSON.parse(argument!))
  process.on('message', (request: ChildRequest) => {
    answer(contender, request).catch(fail)
  })
  // The parent is gone: there is nobody to measure for.
  process.on('disconnect', () => setTimeout(() => process.exit(0), 2000).unref())
  say({ ready: true })
} catch (error) {
  fail(error)
  process.exitCode = 1
}
