/** The configuration that `millpond init` writes: lines of redis.conf, with Millpond's own beside them. */
import { quoteWord } from '../../commands/quoted-words.ts'
import type { Plan } from './init.ts'

export function configText({ dir, host, memory, append, ports, tls }: Plan): string {
  const lines = [
    '# Written by `millpond init`, read by `millpond serve` in this folder. The lines are those of redis.conf;',
    '# see docs/cli.md, and CONFIG GET * for all that there are.',
    '',
    '# Where it listens. 0 is no such port.',
    `bind ${host}`,
    `port ${ports.redis}`,
    `memcached-port ${ports.memcached}`,
    `http-port ${ports.http}`,
    ...(tls === undefined ? [] : secureLines(tls)),
    '',
    '# What keys and values may take together, and who leaves then.',
    `maxmemory ${memory}`,
    'maxmemory-policy allkeys-tinylfu',
    '',
    '# Where it keeps what it knows of caches and tokens, and what is written to disk: nothing, or every change.',
    `dir ${word(dir)}`,
    `appendonly ${append === 'no' ? 'no' : 'yes'}`,
    ...(append === 'no' ? [] : [`appendfsync ${append}`]),
    '',
    '# Nobody comes in without a token. Without this line, whoever reaches the port may do everything.',
    'user default off',
    '',
  ]
  return lines.join('\n')
}

function secureLines({ redis, memcached, http, certificate, key }: NonNullable<Plan['tls']>): string[] {
  return [
    '',
    '# The same with TLS. A certificate that is replaced is noticed within a second.',
    `tls-port ${redis}`,
    `memcached-tls-port ${memcached}`,
    `http-tls-port ${http}`,
    `tls-cert-file ${word(certificate)}`,
    `tls-key-file ${word(key)}`,
    'tls-auth-clients no',
  ]
}

function word(path: string): string {
  return /[\s"'\\]/.test(path) ? quoteWord(path) : path
}
