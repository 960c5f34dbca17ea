/** Where a Memcached server is, and who may use it. */
import { OptionError } from '../../core/errors.ts'

/** One server. */
export interface Address {
  /** As it was written, without the password: its name in errors, and what decides which keys are its own. */
  readonly name: string
  readonly host: string
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string }
  readonly login: { readonly user: string; readonly password: string } | undefined
}

/**
 * The servers of `'10.0.0.1:11211,10.0.0.2'`, or of a list of such texts: each is `host:port` (11211 when it is left
 * out), `[::1]:11211`, the path of a Unix socket, or `memcached://user:password@host:port`.
 *
 * @throws OptionError (`ERR_OPTION`)
 */
export function addressesOf(servers: string | readonly string[]): Address[] {
  const texts = (typeof servers === 'string' ? [servers] : servers).flatMap((text) => `${text}`.split(','))
  const addresses = texts.map((text) => text.trim()).filter((text) => text !== '').map(addressOf) // biome-ignore format: one line
  if (addresses.length === 0) throw new OptionError('servers', servers, ADVICE)
  const names = addresses.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new OptionError('servers', servers, 'name each server once')
  return addresses
}

function addressOf(text: string): Address {
  const address = text.replace(/^memcached:\/\//, '')
  if (address.startsWith('/')) return { name: address, host: '', at: { path: address }, login: undefined }
  const parts = PARTS.exec(address)
  const { user, password, six, name, port = '11211' } = parts?.groups ?? {}
  const host = six ?? name
  if (host === undefined || Number(port) > 65_535) throw new OptionError('servers', withoutPassword(text), ADVICE)
  const login = user === undefined ? undefined : { user: decoded(user), password: decoded(password ?? '') }
  return { name: `${six === undefined ? host : `[${host}]`}:${port}`, host, at: { host, port: Number(port) }, login }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('servers', '***', 'write user and password as in a URL: % as %25, @ as %40')
  }
}

function withoutPassword(text: string): string {
  return text.replace(/:[^:@]*@/, ':***@')
}

const ADVICE = "give 'host:port', several with commas between them, or a list of such texts"
const PARTS =
  /^(?:(?<user>[^:@/]+):(?<password>[^@/]*)@)?(?:\[(?<six>[\da-f:.]+)\]|(?<name>[^\s:@/[\]]+))(?::(?<port>\d{1,5}))?\/?$/i
