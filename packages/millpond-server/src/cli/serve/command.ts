/** `millpond serve`: the service, until it is told to stop. */
import type { Command } from 'commander'
import { OptionError } from 'millpond'
import { readConfigFile } from '../../commands/configuration/config-file.ts'
import { Configuration, ConfigurationError } from '../../commands/configuration/configuration.ts'
import { bytesOf } from '../../commands/configuration/parameter.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { greeting } from './greeting.ts'
import { redisArguments } from './redis-arguments.ts'

interface ServeOptions {
  readonly port: string
  readonly host?: string
  readonly withoutPassword?: boolean
  readonly socket?: string
  readonly memory: string
  readonly policy?: string
  readonly append?: string
  readonly dir?: string
  readonly requirepass?: string
}

/** @param redis what follows `--redis-conf`; `undefined`: that was not given */
export function addServeCommand(root: Command, redis: readonly string[] | undefined): void {
  root
    .command('serve')
    .description('Serve caches by the Redis protocol.')
    .option('-p, --port <port>', 'port to listen on; 0 takes any free one', '6379')
    .option('--host <address>', 'address to listen on (default: loopback)')
    .option('--without-password', 'listen beyond loopback although no password is asked for')
    .option('--socket <path>', 'Unix socket to listen on, too')
    .option('--memory <size>', 'how much keys and values may take', '1gb')
    .option('--policy <name>', 'who leaves when memory is full: the names of maxmemory-policy, or allkeys-tinylfu')
    .option('--append <when>', 'write changes to disk: always, everysec or no')
    .option('--dir <folder>', 'where that is written')
    .option('--requirepass <password>', 'what clients have to say first')
    .option(
      '--redis-conf <file> [arguments...]',
      "read Redis's own configuration file; what follows are arguments as redis-server has them",
    )
    .action(async (options: ServeOptions) => {
      const server = redis === undefined ? await startOwn(options) : await startAsRedis(redis)
      process.stdout.write(greeting(server))
      await stopped(server)
      await server.close()
    })
}

async function startOwn(options: ServeOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', append, policy, dir, socket, requirepass } = options
  const configuration = new Configuration()
  const capacity = bytesOf(options.memory)
  if (capacity === undefined) throw new OptionError('memory', options.memory, "give bytes, or a size such as '512mb'")
  if (!isLoopback(host) && requirepass === undefined && !options.withoutPassword) {
    throw new OptionError(
      'host',
      host,
      'everybody who reaches this address could read and write all keys: give --requirepass, or say --without-password too',
    )
  }
  set(configuration, 'port', options.port)
  set(configuration, 'bind', host)
  set(configuration, 'maxmemory', String(capacity))
  if (policy !== undefined) set(configuration, 'policy', policy, 'maxmemory-policy')
  if (socket !== undefined) set(configuration, 'socket', socket, 'unixsocket')
  if (requirepass !== undefined) set(configuration, 'requirepass', requirepass)
  if (dir !== undefined) set(configuration, 'dir', dir)
  if (append !== undefined && append !== 'no') {
    set(configuration, 'append', 'yes', 'appendonly')
    set(configuration, 'append', append, 'appendfsync')
  }
  return startServer({ configuration, capacity, ports: socket === undefined ? { port: Number(options.port) } : {} })
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
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (taken) process.stdout.write(`Failed listening on port ${configuration.text('port')}: Address already in use\n`)
    throw error
  }
}

function set(configuration: Configuration, option: string, value: string, parameter: string = option): void {
  try {
    configuration.set([[parameter, value]])
  } catch (error) {
    if (error instanceof ConfigurationError) throw new OptionError(option, value, error.reason)
    throw error
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Resolves when somebody wants the server to end: a signal, or SHUTDOWN. */
function stopped(server: RunningServer): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
    void server.ended.then(resolve)
  })
}
