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
  const given = typeof servers === 'string' ? [servers] : servers
  if (!Array.isArray(given) || given.some((text) => typeof text !== 'string'))
    throw new OptionError('servers', servers, ADVICE)
  const addresses = given.flatMap((list: string) => {
    const texts = list.split(',').map((text) => text.trim())
    return texts.filter((text) => text !== '').map((text) => addressOf(text, withoutLogin(list)))
  })
  if (addresses.length === 0) throw new OptionError('servers', servers, ADVICE)
  const names = addresses.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new OptionError('servers', names.join(), 'name each server once')
  return addresses
}

/** @param shown what an error shows of it */
function addressOf(text: string, shown: string): Address {
  const address = text.replace(/^memcached:\/\//, '')
  if (address.startsWith('/')) return { name: address, host: '', at: { path: address }, login: undefined }
  const parts = PARTS.exec(address)
  const { user, password, six, name, port = '11211' } = parts?.groups ?? {}
  const host = six ?? name
  if (host === undefined || Number(port) > 65_535) throw new OptionError('servers', shown, ADVICE)
  const login =
    user === undefined ? undefined : { user: decoded(user, shown), password: decoded(password ?? '', shown) }
  return { name: `${six === undefined ? host : `[${host}]`}:${port}`, host, at: { host, port: Number(port) }, login }
}

function decoded(text: string, shown: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('servers', shown, 'write user and password as in a URL: % as %25, @ as %40')
  }
}

/** All up to the last `@` may be a login, wherever the rest is wrong. */
function withoutLogin(text: string): string {
  return text.replace(/^.*@/s, '…@')
}

const ADVICE = "give 'host:port', several with commas between them, or a list of such texts"
const PARTS =
  /^(?:(?<user>[^:@/]+):(?<password>[^@/]*)@)?(?:\[(?<six>[\da-f:.]+)\]|(?<name>[^\s:@/[\]]+))(?::(?<port>\d{1,5}))?\/?$/i
