/** With real sockets and programs: what is kept on disk, and what redis-server makes of it; TLS; caches by name. */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, expect, test } from 'vitest'
import { createAuthority } from '../../../../../tools/servers/certificates.ts'
import { startRedis } from '../../../../../tools/servers/redis.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { stateOf } from './cache-state.ts'

const folder = mkdtempSync(join(tmpdir(), 'millpond-memcached-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function start(parameters: readonly (readonly [string, string])[]): Promise<RunningServer> {
  const configuration = new Configuration()
  for (const [name, value] of parameters) configuration.start(name, value)
  return startServer({ configuration, ports: { port: 0, 'memcached-port': 0 }, capacity: 64 * 2 ** 20 })
}

/** Sends lines, and resolves with what is answered up to the answer to `mn`. */
async function ask(socket: net.Socket, ...lines: readonly string[]): Promise<string> {
  let answer = ''
  socket.setEncoding('latin1')
  const listen = (text: string): void => void (answer += text)
  socket.on('data', listen)
  socket.write([...lines, 'mn'].map((line) => `${line}\r\n`).join(''))
  while (!answer.endsWith('MN\r\n')) await once(socket, 'data')
  socket.off('data', listen)
  return answer.slice(0, -4)
}

async function connect(server: RunningServer): Promise<net.Socket> {
  const socket = net.connect({ port: server.ports['memcached-port'], host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

const FILL = [
  'set plain 0 0 1\r\nx',
  'set flagged 77 0 5\r\nvalue',
  'set dated 4294967295 1000 3\r\nabc',
  'append flagged 0 0 1\r\n!',
  'set count 5 0 2\r\n41',
  'incr count 1',
  'touch flagged 2000',
  'gets plain',
]
const KEPT =
  'VALUE plain 0 1\r\nx\r\nVALUE flagged 77 6\r\nvalue!\r\nVALUE dated 4294967295 3\r\nabc\r\nVALUE count 5 2\r\n42\r\nEND\r\n'

test.each([
  ['the log', [['appendonly', 'yes']], 'log'],
  ['an RDB file', [['save', '3600 1']], 'rdb'],
  ['a log that was rewritten', [['appendonly', 'yes']], 'rewritten'],
] as const)('flags are kept by %s, which redis-server reads, too', async (_name, parameters, name) => {
  const dir = mkdtempSync(join(folder, name))
  const given = [['dir', dir], ...parameters] as const
  const first = await start(given)
  const socket = await connect(first)
  await ask(socket, ...FILL)
  if (name === 'rewritten') {
    first.service.persistence.log.rewrite()
    while (first.service.persistence.log.rewriting) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(first.service.persistence.log.rewrites).toBe(1)
  }
  socket.destroy()
  await first.close()
  const second = await start(given)
  const again = await connect(second)
  expect(await ask(again, 'get plain flagged dated count')).toBe(KEPT)
  again.destroy()
  await second.close()
  const args = name === 'rdb' ? ['--dbfilename', 'dump.rdb'] : ['--appendonly', 'yes']
  await using redis = await startRedis({ program: 'redis-server', dir, args: ['--dir', dir, ...args] })
  expect(await redis.command('MGET', 'plain', 'flagged', 'dated', 'count')).toEqual(['x', 'value!', 'abc', '42'])
  expect(Number(await redis.command('TTL', 'flagged'))).toBeGreaterThan(1900)
  if (name === 'log') expect(logOf(dir)).toMatch(/#MP-flags:77\r\n\*\d\r\n\$3\r\nSET\r\n\$7\r\nflagged/)
})

function logOf(dir: string): string {
  const logs = join(dir, 'appendonlydir')
  const files = readdirSync(logs).filter((name) => name.endsWith('.incr.aof'))
  return files.map((name) => readFileSync(join(logs, name), 'latin1')).join('')
}

test('by TLS, to a cache of its own name, with what opens that cache alone', async () => {
  const { cert, key } = createAuthority().issue('millpond')
  writeFileSync(join(folder, 'used.crt'), cert)
  writeFileSync(join(folder, 'used.key'), key)
  const configuration = new Configuration()
  configuration.set([
    ['port', '0'],
    ['tls-cert-file', join(folder, 'used.crt')],
    ['tls-key-file', join(folder, 'used.key')],
    ['tls-auth-clients', 'no'],
  ])
  const server = await startServer({
    configuration,
    ports: { port: 0, 'memcached-tls-port': 0 },
    capacity: 16 * 2 ** 20,
  })
  try {
    server.service.accessControl.set('default', ['off'])
    const shop = await server.host.create('shop')
    const request = { name: 'app', cache: 'shop', scopes: [], admin: false }
    const { secret } = server.host.entrance!.tokens.create(request, Date.now())
    const port = server.ports['memcached-tls-port']
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const known = `shop ${secret}`
    expect(await ask(socket, `set a 0 0 ${known.length}\r\n${known}`, 'set key 3 0 5\r\nvalue', 'get key')).toBe(
      'STORED\r\nSTORED\r\nVALUE key 3 5\r\nvalue\r\nEND\r\n',
    )
    expect([server.service.databases[0]!.size, shop.databases[0]!.size]).toEqual([0, 1])
    expect([...shop.clients.values()].length).toBe(1)
    socket.destroy()
  } finally {
    await server.close()
  }
})

test('wrong secrets are answered later and later, while others are served; then the right one opens', async () => {
  const server = await start([])
  try {
    server.service.accessControl.set('shop', ['on', '>secret', '~*', '&*', '+@all'])
    server.service.accessControl.set('default', ['off'])
    const [guesser, other] = [await connect(server), await connect(server)]
    let answers = ''
    guesser.setEncoding('latin1').on('data', (text: string) => void (answers += text))
    const guess = 'set a 0 0 10\r\nshop wrong\r\n'
    guesser.write(`${guess.repeat(4)}set a 0 0 11\r\nshop secret\r\nget a\r\n`)
    expect(await ask(other, 'set a 0 0 11\r\nshop secret', 'set a 0 0 1\r\nx')).toBe('STORED\r\nSTORED\r\n')
    await expect.poll(() => answers, { timeout: 10_000 }).toContain('END')
    expect(answers.match(/authentication failure/g)).toHaveLength(4)
    expect(answers).not.toContain('wrong')
    expect(answers.endsWith('STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n')).toBe(true)
    guesser.destroy()
    other.destroy()
  } finally {
    await server.close()
  }
})

test('who asks for much in one read lets others have their turn, and is answered whole', async () => {
  const server = await start([])
  try {
    const [hog, other] = [await connect(server), await connect(server)]
    const value = 'v'.repeat(1000)
    await ask(other, `set key 0 0 1000\r\n${value}`)
    let length = 0
    hog.on('data', (bytes: Buffer) => void (length += bytes.length))
    const times = 20_000
    hog.write('get key key key key\r\n'.repeat(times))
    const { counters } = stateOf(server.service)
    await expect.poll(() => counters.cmd_get, { interval: 1 }).toBeGreaterThan(0)
    await ask(other, 'get none')
    expect(counters.cmd_get).toBeLessThan(times * 4)
    const answer = `VALUE key 0 1000\r\n${value}\r\n`.length * 4 + 'END\r\n'.length
    await expect.poll(() => length, { timeout: 20_000 }).toBe(answer * times)
    hog.destroy()
    other.destroy()
  } finally {
    await server.close()
  }
})
