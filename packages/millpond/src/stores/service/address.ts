/**
 * Where a service is, which of its caches is meant and what opens it, from a URL:
 *
 *     millpond://shop:token@host:6379        the cache shop; also redis:// and valkey://
 *     millponds://shop:token@host            with TLS; also rediss:// and valkeys://
 *     millpond://localhost                   the cache `default`, where no token is asked for
 *     unix://shop:token@/run/millpond.sock   a socket of this machine
 *
 * Cache and token are percent-encoded. Behind the host may stand the number of a database. The default port is 6379.
 */
import { OptionError } from '../../core/errors.ts'

/** What a URL says. */
export interface ServiceAddress {
  /** Where it is, without who asks: for messages. */
  readonly place: string
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string }
  readonly tls: boolean
  /** `undefined`: the one of clients that name none. */
  readonly cache: string | undefined
  readonly token: string | undefined
  readonly database: number
}

/** @throws OptionError (`ERR_OPTION`) when it is no such URL; its message leaves the token out */
export function addressOf(url: string, option: string): ServiceAddress {
  const refuse = (advice: string): never => {
    throw new OptionError(option, typeof url === 'string' ? url.replace(SECRET, '$1…@') : url, advice)
  }
  const parts = typeof url === 'string' ? (UNIX.exec(url) ?? URL_PARTS.exec(url))?.groups : undefined
  if (parts === undefined)
    return refuse('write millpond://cache:token@host:6379, millponds:// with TLS, or unix:///path')
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text)
    } catch {
      return refuse('write cache and token as in a URL: % as %25, @ as %40')
    }
  }
  const { user, secret, path, ipv6, name, port = '6379', secure, database = '0' } = parts
  const host = ipv6 ?? name ?? ''
  if (Number(port) > 65_535) return refuse('give a port up to 65535')
  return {
    place: path ?? `${ipv6 === undefined ? host : `[${host}]`}:${port}`,
    at: path === undefined ? { host, port: Number(port) } : { path },
    tls: secure === 's',
    cache: user ? decoded(user) : undefined,
    token: secret === undefined ? undefined : decoded(secret),
    database: Number(database || '0'),
  }
}

const LOGIN = '(?:(?<user>[^:@/]*)(?::(?<secret>[^@/]*))?@)?'
const UNIX = new RegExp(`^unix://${LOGIN}(?<path>/[^?#]+)$`)
const URL_PARTS = new RegExp(
  `^(?:millpond|redis|valkey)(?<secure>s?)://${LOGIN}(?:\\[(?<ipv6>[\\da-fA-F:.]+)\\]|(?<name>[^\\s:@/\\[\\]?#]+))(?::(?<port>\\d{1,5}))?(?:/(?<database>\\d{0,4}))?$`,
)
/** Who asks, and by what: all up to the last `@`, wherever the rest of the URL is wrong. */
const SECRET = /^([a-z+]*:\/\/)?.*@/is
