/** `millpond serve`: the service, until it is told to stop. */
import type { Command } from 'commander'
import { readConfigFile } from '../../commands/configuration/config-file.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { greeting } from './greeting.ts'
import { redisArguments } from './redis-arguments.ts'
import { type ServeFlags, settle } from './settle.ts'

/** @param redis what follows `--redis-conf`; `undefined`: that was not given */
export function addServeCommand(root: Command, redis: readonly string[] | undefined): void {
  root
    .command('serve')
    .description('serve caches by the protocols of Redis and memcached, and by HTTP')
    .option('--config <file>', 'what millpond init has written (default: ./millpond.conf, where there is one)')
    .option('-p, --port <port>', 'port of the Redis protocol; 0 takes any free one (default: 6379)')
    .option('--memcached-port <port>', 'port of the memcached protocol (default: none)')
    .option('--http-port <port>', 'port of HTTP (default: none)')
    .option('--tls-cert <file>', 'a certificate in PEM: then these ports speak TLS')
    .option('--tls-key <file>', 'its key')
    .option('--host <address>', 'address to listen on (default: loopback)')
    .option('--socket <path>', 'Unix socket of the Redis protocol to listen on, too')
    .option('--tokens', 'clients have to give a token, a password or an access key')
    .option('--requirepass <password>', 'what clients that name no user have to say first')
    .option('--without-tls', 'listen beyond loopback although anyone on the way can read')
    .option('--without-tokens', 'listen beyond loopback although anyone there may do everything')
    .option('--memory <size>', 'how much keys and values may take (default: 1gb)')
    .option('--policy <name>', 'who leaves when memory is full: the names of maxmemory-policy, or allkeys-tinylfu')
    .option('--append <when>', 'write changes to disk: always, everysec or no')
    .option('--dir <folder>', 'where that is written, and what is known of caches and tokens')
    .option('--threads <count>', 'threads that accept clients and run commands on strings (default: 1)')
    .option(
      '--redis-conf <file> [arguments...]',
      "read Redis's own configuration file; what follows are arguments as redis-server has them",
    )
    .action(async (flags: ServeFlags) => {
      const server = redis === undefined ? await startOwn(flags) : await startAsRedis(redis)
      process.stdout.write(greeting(server))
      try {
        await stopped(server)
      } finally {
        await server.close()
      }
    })
}

async function startOwn(flags: ServeFlags): Promise<RunningServer> {
  const options = settle(flags)
  try {
    return await startServer(options)
  } catch (error) {
    throw isTaken(error) ? new Error(`${portAdvice(error as Error)}`, { cause: error }) : error
  }
}

/** As redis-server would be: its configuration file, its arguments, its defaults. */
async function startAsRedis(words: readonly string[]): Promise<RunningServer> {
  const { file, text } = redisArguments(words)
  const configuration = new Configuration()
  try {
    configuration.set([['maxmemory-policy', 'noeviction']])
    const users = readConfigFile(configuration, file, text)
    return await startServer({ configuration, users })
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
