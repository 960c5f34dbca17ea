/** The service, until it is told to stop. */
import { readConfigFile } from '../../commands/configuration/config-file.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import type { RunningServer, ServerOptions } from '../../server.ts'
import { greeting } from './greeting.ts'
import { whenFirstEnds, withLargerHeap } from './heap.ts'
import { redisArguments } from './redis-arguments.ts'
import { CAPACITY, type ServeFlags, settle } from './settle.ts'

/** @param redis what follows `--redis-conf`; `undefined`: that was not given */
export async function serve(flags: ServeFlags, redis: readonly string[] | undefined): Promise<void> {
  const options = redis === undefined ? settle(flags) : undefined
  const second = withLargerHeap(options?.capacity ?? CAPACITY)
  if (second !== undefined) process.exit(await second)
  const server = options === undefined ? await startAsRedis(redis!) : await startOwn(options)
  // Heard from here on: who is told that it is ready may end it at once.
  const end = stopped(server)
  process.stdout.write(greeting(server))
  try {
    await end
  } finally {
    await server.close()
  }
}

/** The server is loaded here: a process that only starts a second one with a larger heap does without. */
async function start(options: ServerOptions): Promise<RunningServer> {
  const { startServer } = await import('../../server.ts')
  return startServer(options)
}

async function startOwn(options: ServerOptions): Promise<RunningServer> {
  try {
    return await start(options)
  } catch (error) {
    throw isTaken(error) ? new Error(`${portAdvice(error as Error)}`, { cause: error }) : error
  }
}

/** As redis-server would be: its configuration file, its arguments, its defaults. */
async function startAsRedis(words: readonly string[]): Promise<RunningServer> {
  const { file, text } = redisArguments(words)
  const configuration = new Configuration()
  try {
    // Its defaults but one: where no `bind` is given it listens on all addresses, and we on loopback.
    configuration.assume({ 'maxmemory-policy': 'noeviction', save: '3600 1 300 100 60 10000' })
    const users = readConfigFile(configuration, file, text)
    return await start({ configuration, users, capacity: Math.max(CAPACITY, configuration.number('maxmemory')) })
  } catch (error) {
    if (isTaken(error)) {
      process.stdout.write(`Failed listening on port ${configuration.text('port')}: Address already in use\n`)
    }
    throw error
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function portAdvice(error: Error): string {
  const { port, address } = error as Error & { port?: number; address?: string }
  const place = port === undefined ? address : `port ${port}`
  return `${place} is taken: another server listens there. End it, or choose another port: --port, --memcached-port, --http-port or the configuration file`
}

/** Resolves when somebody wants the server to end: a signal, or SHUTDOWN. SIGHUP reads the certificates anew. */
function stopped(server: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
    process.on('SIGHUP', () => reload(server))
    whenFirstEnds(() => resolve())
    server.ended.then(resolve, reject)
  })
}

function reload(server: RunningServer): void {
  try {
    server.reload()
  } catch (error) {
    process.stderr.write(`tls: ${(error as Error).message}; the present certificate goes on\n`)
  }
}
