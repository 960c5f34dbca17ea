/** How to connect to what `millpond init` has made, by each protocol. */
import type { Plan } from './init.ts'

export interface Made extends Plan {
  readonly cache: string
  readonly token: string
  readonly adminToken: string
  readonly configFile: string
}

/** The connection strings. */
export interface Strings {
  readonly redis: string
  readonly memcached: string
  readonly http: string
  /** For the command line: it may do everything. */
  readonly admin: string
}

export function strings({ host, ports, tls, cache, token, adminToken }: Made): Strings {
  const place = host.includes(':') ? `[${host}]` : host
  const scheme = tls === undefined ? 'redis' : 'rediss'
  const web = tls === undefined ? 'http' : 'https'
  const port = tls?.redis ?? ports.redis
  return {
    redis: `${scheme}://${cache}:${token}@${place}:${port}`,
    memcached: `${place}:${ports.memcached || tls?.memcached}`,
    http: `${web}://${place}:${tls?.http ?? ports.http}/cache/${cache}`,
    admin: `${scheme}://default:${adminToken}@${place}:${port}`,
  }
}

/** One screen, in which the token stands once. */
export function welcome(made: Made, profile: string): string {
  const { cache, token, tls, configFile, dir } = made
  const { redis, memcached, http } = strings({ ...made, token: '$TOKEN' })
  const trust = tls === undefined ? '' : ` --cacert ${tls.certificate}`
  return [
    `Made the cache '${cache}' and its first token, which is told this once:`,
    '',
    `  export TOKEN=${token}`,
    '',
    'Start it:  millpond serve',
    '',
    'Then connect:',
    `  redis       redis-cli${trust} -u "${redis}" SET greeting hello`,
    `  memcached   ${memcached}, the cache as user and the token as password`,
    `  http        curl${trust} -H "Authorization: Bearer $TOKEN" "${http}?key=greeting"`,
    `  admin       millpond cache list: commands go there by the profile '${profile}', which may do everything`,
    '',
    `Settings are in ${configFile}${tls === undefined ? '' : `, certificate and key in ${dir}`}.`,
  ].join('\n')
}
