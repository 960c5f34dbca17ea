/** What `millpond serve` is started with: the configuration file, then what the command line says. */
import { existsSync, readFileSync } from 'node:fs'
import { OptionError } from 'millpond/core'
import { readConfigFile } from '../../commands/configuration/config-file.ts'
import { Configuration, ConfigurationError } from '../../commands/configuration/configuration.ts'
import { bytesOf } from '../../commands/configuration/parameter.ts'
import type { Ports } from '../../protocols/listeners.ts'
import { exposureFaults } from '../../security/exposure.ts'
import type { ServerOptions } from '../../server.ts'

export interface ServeFlags {
  readonly config?: string
  readonly port?: string
  readonly memcachedPort?: string
  readonly httpPort?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly host?: string
  readonly socket?: string
  readonly tokens?: boolean
  readonly requirepass?: string
  readonly withoutTls?: boolean
  readonly withoutTokens?: boolean
  readonly memory?: string
  readonly policy?: string
  readonly append?: string
  readonly dir?: string
  readonly threads?: string
}

export const CONFIG_FILE = 'millpond.conf'
/** What is reserved where nobody says how much. */
export const CAPACITY: number = 2 ** 30

/** @throws OptionError what cannot be, or is not safe */
export function settle(flags: ServeFlags): ServerOptions {
  const configuration = new Configuration()
  const users = readFile(configuration, flags.config)
  applyPlain(configuration, flags)
  const ports = portsOf(configuration, flags)
  if (flags.tokens) users.push(['default', 'off'])
  checkExposure(configuration, ports, users, flags)
  const capacity = configuration.number('maxmemory') || CAPACITY
  configuration.set([['maxmemory', String(capacity)]])
  return { configuration, users, ports, capacity }
}

function readFile(configuration: Configuration, given: string | undefined): string[][] {
  const file = given ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined)
  if (file === undefined) return []
  try {
    readFileSync(file)
  } catch (error) {
    throw new OptionError('config', file, `it cannot be read: ${(error as Error).message}; millpond init writes one`)
  }
  try {
    return readConfigFile(configuration, file)
  } catch (error) {
    if (error instanceof ConfigurationError) throw new OptionError('config', file, error.message)
    throw error
  }
}

/** What has a parameter of its own. */
function applyPlain(configuration: Configuration, flags: ServeFlags): void {
  const { host, socket, requirepass, memory, policy, append, dir, threads } = flags
  if (memory !== undefined && bytesOf(memory) === undefined) {
    throw new OptionError('memory', memory, "give bytes, or a size such as '512mb'")
  }
  if (host !== undefined) set(configuration, 'host', host, 'bind')
  if (socket !== undefined) set(configuration, 'socket', socket, 'unixsocket')
  if (requirepass !== undefined) set(configuration, 'requirepass', requirepass)
  if (memory !== undefined) set(configuration, 'memory', memory, 'maxmemory')
  if (policy !== undefined) set(configuration, 'policy', policy, 'maxmemory-policy')
  if (dir !== undefined) set(configuration, 'dir', dir)
  if (threads !== undefined) set(configuration, 'threads', threads, 'io-threads')
  if (append === undefined) return
  set(configuration, 'append', append === 'no' ? 'no' : 'yes', 'appendonly')
  if (append !== 'no') set(configuration, 'append', append, 'appendfsync')
}

/** Where it listens. Ports of the command line speak TLS when a certificate is given there. */
function portsOf(configuration: Configuration, flags: ServeFlags): Partial<Ports> {
  const { tlsCert, tlsKey } = flags
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new OptionError(
      'tls-cert',
      tlsCert,
      'a certificate and its key belong together: give --tls-cert and --tls-key',
    )
  }
  const isSecure = tlsCert !== undefined
  if (isSecure) {
    set(configuration, 'tls-cert', tlsCert, 'tls-cert-file')
    set(configuration, 'tls-key', tlsKey!, 'tls-key-file')
    set(configuration, 'tls-cert', 'no', 'tls-auth-clients')
  }
  const { port = isSecure ? '6379' : undefined, memcachedPort, httpPort } = flags
  const ports: Record<string, number> = {}
  for (const [given, plain, secure] of [
    [port, 'port', 'tls-port'],
    [memcachedPort, 'memcached-port', 'memcached-tls-port'],
    [httpPort, 'http-port', 'http-tls-port'],
  ] as const) {
    if (given === undefined) continue
    const [own, other] = isSecure ? [secure, plain] : [plain, secure]
    set(configuration, plain, given, own)
    ports[own] = Number(given)
    if (isSecure) configuration.set([[other, '0']])
  }
  return ports
}

/** @throws OptionError what stands in the way of listening so */
function checkExposure(
  configuration: Configuration,
  ports: Readonly<Record<string, number>>,
  users: readonly (readonly string[])[],
  flags: ServeFlags,
): void {
  // One that is any free one is open as well.
  const open = (name: string): number => (ports[name] === 0 ? ANY_PORT : configuration.number(name))
  const faults = exposureFaults({
    addresses: configuration.text('bind').split(' '),
    plainPorts: [open('port'), open('memcached-port'), open('http-port')],
    tlsPorts: [open('tls-port'), open('memcached-tls-port'), open('http-tls-port')],
    mustAuthenticate: configuration.text('requirepass') !== '' || users.some(closes),
    withoutTls: flags.withoutTls === true,
    withoutTokens: flags.withoutTokens === true,
  })
  if (flags.withoutTokens) configuration.set([['protected-mode', 'no']])
  if (faults.length > 0) throw new OptionError('host', configuration.text('bind'), faults.join('\nand '))
}

const ANY_PORT = 1

/** Whether a line of users leaves the one of clients that name none without a way in. */
function closes([name, ...rules]: readonly string[]): boolean {
  return name === 'default' && !(rules.includes('on') && rules.includes('nopass'))
}

function set(configuration: Configuration, option: string, value: string, parameter: string = option): void {
  try {
    configuration.set([[parameter, value]])
  } catch (error) {
    if (error instanceof ConfigurationError) throw new OptionError(option, value, error.reason)
    throw error
  }
}
