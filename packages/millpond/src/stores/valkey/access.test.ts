/** How servers are reached: TLS with client certificates, passwords, users with the least rights, URLs. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { startRedis } from '../../../../../tools/servers/redis.ts'
import { startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { startSentinel } from '../../../../../tools/servers/redis-sentinel.ts'
import { certificatesFor, startTlsRedis } from '../../../../../tools/servers/redis-tls.ts'
import { createCache } from '../../cache/cache.ts'
import { systemClock } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { recognise } from './client.ts'
import { type Access, singles } from './clients.fixture.ts'
import { valkeyStore } from './index.ts'
import { ioClient, nodeRedisClient } from './make-client.ts'
import { endClient, loadClient } from './open.ts'
import { placeOf } from './url.ts'

const ends: (() => unknown)[] = []
const endLater = (end: () => unknown): void => void ends.push(end)
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Everything that a cache asks of a store. */
async function works(store: Store): Promise<void> {
  endLater(() => store.close())
  const record = { value: '1', freshMs: 5000, keepMs: 5000, tags: [] }
  await store.bump(['shop#red'], undefined)
  await store.invalidate(['shop:1'], 5000, false)
  const { entries } = await store.read(['shop:1', 'shop:2'], ['shop#red', 'shop#blue'])
  for (const [at, { mark }] of entries.entries()) expect(await store.fill(`shop:${at + 1}`, record, mark)).toBe(true)
  expect((await store.read(['shop:1'], [])).entries[0]!.record!.value).toBe('1')
  expect(await store.lease('shop?1', 'me', 5000)).toBe(true)
  await store.release('shop?1', 'me')
}

/** What docs/stores.md says that a user needs, after `ACL SETUSER millpond on >secret`. */
const page = readFileSync(new URL('../../../../../docs/stores.md', import.meta.url), 'utf8')
const rights = /^ACL SETUSER millpond on >secret ([\s\S]*?)^```/m.exec(page)![1]!.trim().split(/\s+/)

describe.each(Object.entries(singles))('%s', (_, open) => {
  test('TLS with a client certificate, a user and a password', async () => {
    const server = await startTlsRedis()
    endLater(() => server.destroy())
    await server.command('ACL', 'SETUSER', 'ann', 'on', '>secret', ...rights)
    const access: Access = { port: server.port, username: 'ann', password: 'secret', tls: server.client }
    await works(valkeyStore(await open(access, endLater)))
  })
})

test('a user with the rights of docs/stores.md is enough for a whole cache, and for its recovery', async () => {
  const server = await startRedis()
  endLater(() => server.destroy())
  await server.command('ACL', 'SETUSER', 'ann', 'on', '>secret', ...rights)
  const client = await singles.ioredis!({ port: server.port, username: 'ann', password: 'secret' }, endLater)
  const cache = createCache({
    name: 'shop',
    lock: 'store',
    storeTimeout: '5s',
    fence: '30s',
    store: valkeyStore(client),
  })
  endLater(() => cache.close())
  const errors: unknown[] = []
  cache.on('storeError', ({ error }) => errors.push(String(error)))
  for (const [start, part] of [
    ['shop:', cache],
    ['shop/users:', cache.namespace('users')],
  ] as const) {
    await part.getOrSet('a', () => 1, { tags: ['red'] })
    await part.set('b', 2, { tags: ['blue'] })
    expect(await server.command('EXISTS', `${start}b`)).toBe(1) // the store is used
    await part.mutate({ keys: ['a'], tags: ['red'] }, async () => undefined)
    await part.clear()
  }
  const probes = () => server.command('EXISTS', 'shop?probe 0')
  await server.command('CLIENT', 'KILL', 'USER', 'ann')
  await expect.poll(() => cache.getOrSet(`${Math.random()}`, () => 1).then(probes), { timeout: 10_000 }).toBe(1)
  expect(errors.filter((message) => /NOPERM/.test(String(message)))).toEqual([])
})

describe('a URL', () => {
  test('TLS with a client certificate, and a password', async () => {
    const server = await startTlsRedis({ password: 'p@ss/word' })
    endLater(() => server.destroy())
    await works(valkeyStore(server.url, { tls: server.client }))
  })

  test('a user with the least rights, in a database other than the first', async () => {
    const server = await startRedis()
    endLater(() => server.destroy())
    await server.command('ACL', 'SETUSER', 'ann', 'on', '>secret', ...rights)
    await works(valkeyStore(`redis://ann:secret@127.0.0.1:${server.port}/3`))
    expect(String(await server.command('INFO', 'keyspace'))).toMatch(/^db3:/m)
  })

  test('a socket of this machine', async () => {
    const server = await startRedis({ args: ['--unixsocket', 'mill.sock'] })
    endLater(() => server.destroy())
    const [, dir] = (await server.command('CONFIG', 'GET', 'dir')) as string[]
    await works(valkeyStore(`unix://${dir}/mill.sock`))
  })

  test.each([
    ['a wrong password', 'redis://:wrong@', /WRONGPASS|NOAUTH|invalid/i],
    ['no password', 'redis://', /NOAUTH/],
  ])('%s is told', async (_, start, message) => {
    const server = await startRedis({ password: 'secret' })
    endLater(() => server.destroy())
    const store = valkeyStore(`${start}127.0.0.1:${server.port}`)
    endLater(() => store.close())
    const error = await store.read(['a'], []).catch((thrown: unknown) => thrown as StoreError)
    expect(error).toBeInstanceOf(StoreError)
    expect((error as StoreError).message).toMatch(message)
  })

  test('a refusal that comes together with the next answer is told, too', async () => {
    // On a busy machine it does: then iovalkey says that it is ready, and ends the connection.
    const server = createServer((socket) => {
      let asked = ''
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        asked += data
        if (!/info\r\n$/i.test(asked)) return
        const answers = [...asked.matchAll(/^(auth|info|client)\r$/gim)].map(([, name]) =>
          name!.toLowerCase() === 'info' ? '$9\r\nloading:0\r\n' : '-WRONGPASS it is another one\r\n',
        )
        socket.write(answers.join(''))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endLater(() => server.close())
    const { port } = server.address() as AddressInfo
    const store = valkeyStore(`redis://ann:secret@127.0.0.1:${port}`)
    endLater(() => store.close())
    for (let at = 0; at < 3; at++) await expect(store.read(['shop:1'], [])).rejects.toThrow(/WRONGPASS/)
  })

  test('a server that is not there is told at once, and used as soon as it is', async () => {
    const first = await startRedis()
    await first.destroy()
    const store = valkeyStore(`redis://127.0.0.1:${first.port}`)
    endLater(() => store.close())
    await expect(store.read(['a'], [])).rejects.toThrow(StoreError)
    const second = await startRedis({ port: first.port })
    endLater(() => second.destroy())
    await expect.poll(() => store.read(['a'], []).catch(() => undefined)).toBeDefined()
  })

  test('after close, nothing is opened any more', async () => {
    const store = valkeyStore('redis://127.0.0.1:1')
    await store.close()
    await expect(store.read(['a'], [])).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

test.each([0, 200])(
  'a process ends with its store, which was closed %d ms after its first use',
  async (afterMs) => {
    const server = await startRedis()
    endLater(() => server.destroy())
    const code = `
    import { setTimeout } from 'node:timers/promises'
    import { valkeyStore } from 'millpond/valkey'
    const store = valkeyStore('${server.url}')
    store.read(['a'], []).catch(() => undefined)
    await setTimeout(${afterMs})
    await store.close()
    // Turns of the process instead of time, of which it may get little: 200 are the two seconds that a client holds it for by default.
    let turns = 0
    setInterval(() => turns++, 10).unref()
    process.on('exit', () => console.log(turns))`
    const args = ['--conditions=@millpond/source', '--import', 'tsx', '--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(Number(stdout)).toBeLessThan(100)
  },
  30_000,
)

describe.each([
  ['iovalkey', () => import('iovalkey'), ioClient],
  ['ioredis', () => import('ioredis'), ioClient],
  ['ioredis 5', () => import('ioredis5'), ioClient],
  ['redis', () => import('redis'), nodeRedisClient],
] as const)('a URL, with %s', (_, load, make) => {
  /** As `LateConnection` does, with this package instead of the first that is installed. */
  async function open(url: string, tls?: ConnectionOptions): Promise<Store> {
    const options = { connectTimeoutMs: 5000, clock: systemClock, ...(tls === undefined ? {} : { tls }) }
    const recognised = recognise(make(await load(), placeOf(url, 'client'), options), 'client')
    recognised.client.on('error', () => undefined)
    endLater(() => endClient(recognised))
    await recognised.client.connect()
    return valkeyStore(recognised.client)
  }

  test('one server with TLS, a password and a database', async () => {
    const server = await startTlsRedis({ password: 'p@ss/word' })
    endLater(() => server.destroy())
    await works(await open(`${server.url}/2`, server.client))
    await expect.poll(() => server.command('INFO', 'keyspace')).toMatch(/^db2:/m)
  })

  test('Sentinel, with a password of the servers', async () => {
    const group = await startSentinel({ replicas: 1, password: 'secret' })
    endLater(() => group.destroy())
    const addresses = group.addresses.map(({ host, port }) => `${host}:${port}`).join()
    await works(await open(`redis+sentinel://:secret@${addresses}/${group.name}`))
  }, 30_000)

  test('a cluster with TLS and client certificates', async () => {
    const { tls, client } = certificatesFor()
    const cluster = await startCluster({ tls, replicas: 0, args: ['--tls-cluster', 'yes', '--tls-replication', 'yes'] })
    endLater(() => cluster.destroy())
    await works(await open(`rediss+cluster://127.0.0.1:${cluster.addresses[0]!.port}`, client))
  }, 30_000)
})

describe('the client for a URL', () => {
  test('is the first that is installed', async () => {
    const installed = (names: readonly string[]) => async (name: string) => {
      if (names.includes(name)) return { name }
      throw new Error('not found')
    }
    expect((await loadClient(installed(['redis', 'ioredis']))).name).toBe('ioredis')
    expect((await loadClient(installed(['redis', 'iovalkey']))).name).toBe('iovalkey')
    expect((await loadClient(installed(['redis']))).name).toBe('redis')
    await expect(loadClient(installed([]))).rejects.toThrow(/npm install iovalkey/)
  })
})
