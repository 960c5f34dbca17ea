/** The inside of a remote process (remote.ts): makes the functions, and calls the one that is named. */

import type { RemoteReply, RemoteRequest, Serve, Service } from './remote.ts'

const [module, argument] = process.argv.slice(2)

function say(reply: RemoteReply): void {
  if (process.connected) process.send!(reply)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function answer(service: Service, { id, name, argument }: RemoteRequest): Promise<void> {
  try {
    say({ id, result: await service[name]!(argument as never) })
  } catch (error) {
    say({ id, error: reasonOf(error) })
  }
}

/** The parent has closed this process, or is gone. */
async function leave(service: Service): Promise<void> {
  setTimeout(() => process.exit(0), 2000).unref()
  await service.close?.(undefined as never)
  process.exit(0)
}

try {
  const { serve } = (await import(module!)) as { serve: Serve<unknown, Service> }
  const service = await serve(JSON.parse(argument!))
  process.on('message', (request: RemoteRequest) => void answer(service, request))
  process.on('disconnect', () => void leave(service))
  say({ id: 0 })
} catch (error) {
  say({ id: 0, error: reasonOf(error) })
  process.exitCode = 1
}
