/**
 * Where servers are, from a URL:
 *
 *     redis://user:password@host:6379/0                  one server, database 0; also valkey://
 *     rediss://host                                      with TLS; also valkeys://
 *     unix:///run/redis.sock                             one server of this machine
 *     redis://host1,host2:6380                           several hosts: a cluster; one host is enough with redis+cluster://
 *     redis+sentinel://host1,host2:26380/main/0          the primary named main, as these Sentinels know it
 *
 * User and password are percent-encoded. Default ports are 6379, and 26379 for Sentinels.
 */
import { OptionError } from '../../core/errors.ts'

/** What a URL says. */
export interface Place {
  readonly topology: 'single' | 'cluster' | 'sentinel'
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** A socket of this machine, in place of a host. */
  readonly path?: string
  /** Name of the primary, for Sentinels. */
  readonly primary?: string
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
}

/** @throws OptionError (`ERR_OPTION`) when it is no such URL; its message leaves the password out */
export function placeOf(url: string, option: string): Place {
  const refuse = (advice: string): never => {
    throw new OptionError(option, url.replace(SECRET, '$1…@'), advice)
  }
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text)
    } catch {
      return refuse('write user, password and name as in a URL: % as %25, @ as %40')
    }
  }
  const socket = /^unix:(?:\/\/)?(\/[^?]+)$/.exec(url)
  if (socket) return { topology: 'single', hosts: [], path: socket[1]!, tls: false, database: 0 }
  const parts = URL_PARTS.exec(url)?.groups
  if (parts === undefined)
    return refuse(
      'write redis://host:6379, rediss://, valkey://, redis+sentinel:// or unix:///path, without ?parameters',
    )
  const topology = parts.kind ?? (parts.hosts!.includes(',') ? 'cluster' : 'single')
  const path = (parts.path ?? '').split('/').filter((part) => part !== '')
  const primary = topology === 'sentinel' ? path.shift() : undefined
  if (topology === 'sentinel' && primary === undefined)
    return refuse('name the primary behind the hosts: redis+sentinel://host:26379/main')
  const database = Number(path.shift() ?? 0)
  if (!(database >= 0) || !Number.isInteger(database) || path.length > 0)
    return refuse('end it with the number of a database, or nothing')
  if (topology === 'cluster' && database !== 0) return refuse('a cluster has database 0 only')
  return {
    topology: topology as Place['topology'],
    hosts: parts
      .hosts!.split(',')
      .map(
        (host) =>
          hostOf(host, topology === 'sentinel' ? 26379 : 6379) ?? refuse('write each host as host or host:port'),
      ),
    ...(primary === undefined ? {} : { primary: decoded(primary) }),
    tls: parts.tls === 's',
    ...(parts.username ? { username: decoded(parts.username) } : {}),
    ...(parts.password === undefined ? {} : { password: decoded(parts.password) }),
    database,
  }
}

const URL_PARTS =
  /^(?:redis|valkey)(?<tls>s?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<username>[^:@]*)(?::(?<password>[^@]*))?@)?(?<hosts>[^/@?#]+)(?<path>\/[^?#]*)?$/

/** Who logs in, and how: all up to the last `@`, wherever the rest of the URL is wrong. */
const SECRET = /^([a-z+]*:\/\/)?.*@/is

/** `host`, `host:port` or `[ipv6]:port`. */
function hostOf(text: string, standardPort: number): { host: string; port: number } | undefined {
  const parts = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:\s]+))(?::(?<port>\d+))?$/.exec(text)?.groups
  const port = Number(parts?.port ?? standardPort)
  if (parts === undefined || port > 65_535) return undefined
  return { host: (parts.ipv6 ?? parts.name)!, port }
}
