/** What a server says when it is ready: how to connect to it by each protocol, and what it will do. */
import { human } from '../../commands/server/info/section.ts'
import { MILLPOND_VERSION, REDIS_VERSION } from '../../commands/versions.ts'
import type { RunningServer } from '../../server.ts'

export function greeting(server: RunningServer): string {
  const { configuration, cache } = server.service
  const append = configuration.is('appendonly')
    ? `changes are written to ${configuration.text('dir')}, ${configuration.text('appendfsync')}`
    : 'nothing is written to disk (--append always keeps it)'
  const threads = configuration.number('io-threads')
  const lines = [
    `Millpond ${MILLPOND_VERSION} serves caches by the protocol of Redis ${REDIS_VERSION}. PID: ${process.pid}`,
    '',
    ...connections(server),
    `  memory      ${human(cache.bytesMax)}, then ${configuration.text('maxmemory-policy')}`,
    `  durability  ${append}`,
    threads > 1 &&
      `  threads     ${threads}: each accepts clients and runs commands on strings; all others run in the first`,
    '  stop        Ctrl-C, or SIGTERM: what was begun is finished first',
    '',
    'Ready to accept connections',
  ].filter((line) => line !== false)
  return `${lines.join('\n')}\n`
}

/** A line for each place where it listens. */
function connections({ service, ports, host: caches }: RunningServer): string[] {
  const { configuration } = service
  const [host = '127.0.0.1'] = configuration
    .text('bind')
    .split(' ')
    .map((address) => address.replace(/^-/, ''))
  const isClosed = service.accessControl.mustAuthenticate
  const certificate = configuration.text('tls-cert-file')
  const login = isClosed ? ' --user <cache> --pass <token>' : ''
  const user = isClosed ? '<cache>:<token>@' : ''
  const token = isClosed ? " -H 'Authorization: Bearer <token>'" : ''
  const trust = ` --cacert ${certificate}`
  const names = [...caches.services.keys()].filter((name) => name !== 'default')
  const lines = [
    ports.port > 0 &&
      `redis       redis-cli -h ${host} -p ${ports.port}${login}     or redis://${user}${host}:${ports.port}`,
    ports['tls-port'] > 0 &&
      `redis, TLS  redis-cli -h ${host} -p ${ports['tls-port']} --tls${trust}${login}     or rediss://${user}${host}:${ports['tls-port']}`,
    configuration.text('unixsocket') !== '' && `socket      redis-cli -s ${configuration.text('unixsocket')}${login}`,
    ports['memcached-port'] > 0 &&
      `memcached   ${host}:${ports['memcached-port']}${isClosed ? ', the cache as user and its token as password' : ''}`,
    ports['memcached-tls-port'] > 0 && `      TLS   ${host}:${ports['memcached-tls-port']}`,
    ports['http-port'] > 0 && `http        curl${token} 'http://${host}:${ports['http-port']}/cache/<cache>?key=a'`,
    ports['http-tls-port'] > 0 &&
      `https       curl${trust}${token} 'https://${host}:${ports['http-tls-port']}/cache/<cache>?key=a'`,
    isClosed &&
      `tokens      are asked for: millpond token create <name> --for <cache>${names.length > 0 ? `; caches: ${names.join(', ')}` : ''}`,
  ]
  return lines.filter((line) => line !== false).map((line) => `  ${line}`)
}
