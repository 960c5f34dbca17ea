/** What a server says when it is ready: how to connect to it, and what it will do. */
import { human } from '../../commands/server/info/section.ts'
import { MILLPOND_VERSION, REDIS_VERSION } from '../../commands/versions.ts'
import type { RunningServer } from '../../server.ts'

export function greeting({ service, port }: RunningServer): string {
  const { configuration, cache } = service
  const [host = '127.0.0.1'] = configuration.text('bind').split(' ')
  const path = configuration.text('unixsocket')
  const password = service.accessControl.mustAuthenticate ? ' -a <password>' : ''
  const append = configuration.is('appendonly')
    ? `changes are written to ${configuration.text('dir')}, ${configuration.text('appendfsync')}`
    : 'nothing is written to disk (--append always keeps it)'
  const lines = [
    `Millpond ${MILLPOND_VERSION} serves caches by the protocol of Redis ${REDIS_VERSION}. PID: ${process.pid}`,
    '',
    port > 0 && `  connect     redis-cli -h ${host} -p ${port}${password}     or redis://${host}:${port}`,
    path !== '' && `  socket      redis-cli -s ${path}${password}`,
    `  memory      ${human(cache.bytesMax)}, then ${configuration.text('maxmemory-policy')}`,
    `  durability  ${append}`,
    '  stop        Ctrl-C, or SIGTERM: what was begun is finished first',
    '',
    'Ready to accept connections',
  ].filter((line) => line !== false)
  return `${lines.join('\n')}\n`
}
