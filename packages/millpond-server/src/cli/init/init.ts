/** What `millpond init` does: a folder with all that a service needs, made by the service itself. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { OptionError } from 'millpond'
import { connectService } from 'millpond/service'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { isLoopback } from '../../security/exposure.ts'
import { startServer } from '../../server.ts'
import { print, printJson } from '../print.ts'
import { saveProfile } from '../profiles.ts'
import { CONFIG_FILE } from '../serve/settle.ts'
import { selfSigned } from './certificate.ts'
import type { InitFlags } from './command.ts'
import { configText } from './config-text.ts'
import { type Made, strings, welcome } from './welcome.ts'

/** Writes everything, and says how to connect. @throws OptionError where something is there already, or cannot be */
export async function init(cache: string, flags: InitFlags): Promise<void> {
  if (existsSync(CONFIG_FILE)) {
    throw new OptionError(
      'init',
      CONFIG_FILE,
      'there is one already: `millpond serve` uses it; remove it to begin anew',
    )
  }
  const dir = resolve(flags.dir)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const plan = planOf(dir, flags)
  const certificate = flags.tls ? writeCertificate(dir, flags.host) : undefined
  const tokens = await makeTokens(dir, cache)
  writeFileSync(CONFIG_FILE, configText(plan), { mode: 0o600, flag: 'wx' })
  const made: Made = { ...plan, cache, ...tokens, configFile: CONFIG_FILE }
  const { admin } = strings(made)
  saveProfile(flags.profile, { url: admin, ...(certificate !== undefined && { ca: certificate }) }, true)
  if (flags.json)
    printJson({ ...strings(made), token: made.token, certificate: plan.tls?.certificate, config: resolve(CONFIG_FILE) }) // biome-ignore format: one line
  else print(welcome(made, flags.profile))
}

/** Where everything is going to be. */
export interface Plan {
  readonly dir: string
  readonly host: string
  readonly memory: string
  readonly append: string
  /** Without TLS; 0: none. */
  readonly ports: { readonly redis: number; readonly memcached: number; readonly http: number }
  readonly tls?: Plan['ports'] & { readonly certificate: string; readonly key: string }
}

function planOf(dir: string, flags: InitFlags): Plan {
  const { host, memory, append = 'no', tls } = flags
  if (!['no', 'everysec', 'always'].includes(append)) throw new OptionError('append', append, 'give no, everysec or always') // biome-ignore format: one line
  if (!tls && !isLoopback(host)) {
    throw new OptionError('tls', false, `anyone on the way to ${host} could read tokens and values: leave --no-tls out`)
  }
  const ports = { redis: portOf(flags.port, 'port'), memcached: portOf(flags.memcachedPort, 'memcached-port'), http: portOf(flags.httpPort, 'http-port') } // biome-ignore format: one line
  const next = ([name, port]: [string, number]) => [name, port === 0 ? 0 : port + 1]
  const secure = tls && {
    tls: {
      ...(Object.fromEntries(Object.entries(ports).map(next)) as Plan['ports']),
      certificate: join(dir, 'millpond.crt'),
      key: join(dir, 'millpond.key'),
    },
  }
  return { dir, host, memory, append, ports: isLoopback(host) ? ports : { redis: 0, memcached: 0, http: 0 }, ...secure }
}

function portOf(text: string, option: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_535) return port
  throw new OptionError(option, text, 'give a port up to 65534; 0 is none')
}

/** Returns the certificate, in PEM. */
function writeCertificate(dir: string, host: string): string {
  const beyond = isLoopback(host) ? [] : [host, hostname()].filter((name) => !/^(0\.0\.0\.0|::|\*)$/.test(name))
  const { key, certificate } = selfSigned([...new Set(['localhost', '127.0.0.1', '::1', ...beyond])], Date.now())
  writeFileSync(join(dir, 'millpond.key'), key, { mode: 0o600 })
  writeFileSync(join(dir, 'millpond.crt'), certificate)
  return certificate
}

/** Starts the service where nobody else reaches it, and has it make a cache and two tokens. */
async function makeTokens(dir: string, cache: string): Promise<{ token: string; adminToken: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-'))
  const configuration = new Configuration()
  configuration.set([
    ['dir', dir],
    ['port', '0'],
    ['unixsocket', join(folder, 'socket')],
    ['unixsocketperm', '600'],
  ])
  const server = await startServer({ configuration, capacity: FIRST_CAPACITY })
  const service = connectService(`unix://${join(folder, 'socket')}`)
  try {
    if (cache !== 'default' && !(await service.caches.list()).includes(cache)) await service.caches.create(cache)
    const { token } = await service.tokens.create(`${cache}-first`, { cache })
    const { token: adminToken } = await service.tokens.create('admin', { admin: true })
    return { token, adminToken }
  } finally {
    await service.close()
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

/** Reserved for the moment of making them. */
const FIRST_CAPACITY = 64 * 2 ** 20
