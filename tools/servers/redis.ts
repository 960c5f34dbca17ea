/**
 * Throw-away Redis and Valkey servers on loopback: real programs (`redis-server` or `valkey-server` of PATH), in a
 * temporary folder, without persistence. Groups of them are in `redis-replicated.ts`, `redis-sentinel.ts` and
 * `redis-cluster.ts`.
 */
import { execFileSync } from 'node:child_process'
import type { ConnectionOptions } from 'node:tls'
import { type ChildServer, startChild } from './child.ts'
import { onPath } from './find.ts'
import { ask, type RespReply } from './resp.ts'

/** A program that speaks the Redis protocol. */
export type RedisProgram = 'redis-server' | 'valkey-server'

/** Options of `startRedis`. */
export interface RedisOptions {
  /** More arguments, such as `['--maxmemory', '10mb']`. They win over the launcher's own. */
  readonly args?: readonly string[]
  /** Default: `valkey-server` where it is on PATH, else `redis-server`. */
  readonly program?: RedisProgram
  /** A folder to run in, which is not removed. Default: a fresh one, which is. */
  readonly dir?: string
  /** Default: a free one. */
  readonly port?: number
  /** Asked of the user `default` (requirepass). */
  readonly password?: string
  /** How to speak TLS on the port, which then speaks nothing else. `redis-tls.ts` makes it. */
  readonly tls?: RedisTls
  /** Other ports that the server opens, as distances from its own. */
  readonly morePorts?: readonly number[]
}

/** Files of a server's certificate, and what a client that it accepts connects with. */
export interface RedisTls {
  readonly args: readonly string[]
  readonly client: ConnectionOptions
}

/** A running server. */
export interface RedisServer extends ChildServer {
  /** `redis://127.0.0.1:<port>`, with the password if there is one; `rediss:` where it speaks TLS. */
  readonly url: string
  readonly program: RedisProgram
  /** Sends one command on a connection of its own, as the user `default`. Throws the server's error. */
  command(...command: readonly (string | number)[]): Promise<RespReply>
  /** The line `<name>:<value>` of INFO. `undefined` where there is none. */
  info(name: string): Promise<string | undefined>
}

/** Starts a server; resolves once it serves. Throws with its own words when it cannot. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = options.program ?? redisPrograms()[0]!
  const child = await startChild({
    name: program,
    command: program,
    args: (port, dir) => [...baseArgs(port, dir, options), ...(options.args ?? [])],
    ready: (port) => processId(addressOf(port, options)),
    port: options.port,
    dir: options.dir,
    morePorts: options.morePorts,
  })
  return asRedis(child, program, options)
}

/** Which of the programs are on PATH, the default first. Throws when there is none. */
export function redisPrograms(): RedisProgram[] {
  const names: readonly RedisProgram[] = ['valkey-server', 'redis-server']
  const found = names.filter((name) => onPath([name]) !== undefined)
  if (found.length > 0) return found
  throw new Error('no Redis or Valkey server was found: install one (Debian, Ubuntu: `apt-get install redis-server`)')
}

/** What a program says that it is, such as `Redis server v=7.0.15`: for titles, so that a run says what it ran. */
export function redisVersion(program: RedisProgram): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).split(' sha=')[0]!
}

function baseArgs(port: number, dir: string, { password, tls }: RedisOptions): string[] {
  const plain = tls === undefined ? ['--port', `${port}`] : ['--port', '0', '--tls-port', `${port}`, ...tls.args]
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  const rest = ['--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  return [...plain, ...rest, ...secret]
}

function addressOf(port: number, { tls, password }: RedisOptions) {
  return { port, tls: tls?.client, password }
}

/** The server's process id once it serves: one that loads its data from disk, or from a primary, does not yet. */
async function processId(address: ReturnType<typeof addressOf>): Promise<number | undefined> {
  try {
    const info = String(await ask(address, 'INFO', 'everything'))
    return /^loading:1/m.test(info) ? undefined : Number(/^process_id:(\d+)/m.exec(info)![1])
  } catch {
    return undefined
  }
}

function asRedis(child: ChildServer, program: RedisProgram, options: RedisOptions): RedisServer {
  const command = (...words: readonly (string | number)[]) => ask(addressOf(child.port, options), ...words)
  const secret = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`
  const url = `${options.tls === undefined ? 'redis' : 'rediss'}://${secret}127.0.0.1:${child.port}`
  return Object.assign(child, {
    url,
    program,
    command,
    info: async (name: string) => new RegExp(`^${name}:(.*)$`, 'm').exec(String(await command('INFO')))?.[1]?.trim(),
  })
}
