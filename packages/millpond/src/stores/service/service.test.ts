import { readFileSync } from 'node:fs'
import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MillpondServer, startMillpond } from '../../../../../tools/servers/millpond.ts'
import { type FaultyProxy, startProxy } from '../../../../../tools/servers/proxy.ts'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { until } from '../../../../../tools/servers/until.ts'
import { createCache } from '../../cache/cache.ts'
import { ServiceError } from '../../core/errors.ts'
import { connectService, type Service, type ServiceOptions, serviceStore, type TopicGap, type TopicMessage } from './index.ts' // biome-ignore format: one line

const ends: (() => unknown)[] = []
let server: MillpondServer
let proxy: FaultyProxy
beforeAll(async () => {
  server = await startMillpond()
  ends.push(() => server.destroy())
  proxy = await startProxy(server)
  ends.push(() => proxy.close())
}, 60_000)
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

function connect(port: number = server.port, options: ServiceOptions = {}): Service {
  // A busy machine takes its time.
  const service = connectService(`millpond://127.0.0.1:${port}`, { connectTimeout: '20s', ...options })
  ends.push(() => service.close())
  return service
}

/** The reason of the error that it fails with. */
async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof ServiceError ? error.reason : String(error)
}

test('commands of one turn travel together, and are answered in their order', async () => {
  const service = connect()
  expect(await service.ready()).toMatchObject({
    version: expect.any(String),
    commands: expect.arrayContaining(['fill']),
  })
  const answers = Array.from({ length: 1000 }, (_, at) => service.command('ECHO', at))
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)))
  expect(await service.command('SET', 'ü', 'ä')).toBe('OK')
  expect(await service.command('GET', 'ü')).toBe('ä')
  expect(await service.call(['GET', 'ü'], { asBytes: true })).toEqual(Buffer.from('ä'))
  expect(await service.command('HSET', 'h', 'a', 1, 'b', 2)).toBe(2)
  expect(await service.command('HGETALL', 'h')).toEqual(new Map([['a', '1'], ['b', '2']])) // biome-ignore format: one line
  const bytes = Buffer.from([0, 255, 13, 10])
  await service.command('SET', 'bytes', bytes)
  expect(await service.call(['GET', 'bytes'], { asBytes: true })).toEqual(bytes)
})

test('an error of the server has its word, and not what was sent', async () => {
  const service = connect()
  await service.command('LPUSH', 'list', 1)
  const error = await service.command('GET', 'list').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'ERR_SERVICE', reason: 'answer', word: 'WRONGTYPE' })
  const secret = connectService(`millpond://nobody:s3cret@127.0.0.1:${server.port}`)
  const denied = (await secret.ready().catch((thrown: unknown) => thrown)) as ServiceError
  expect(denied).toMatchObject({ reason: 'access', word: 'WRONGPASS' })
  expect(denied.message).not.toContain('s3cret')
  expect(await reasonOf(secret.command('PING'))).toBe('access')
  await secret.close()
})

test('kill -9: what was under way fails, what comes meanwhile waits, and all goes on', {
  timeout: 60_000,
}, async () => {
  const own = await startMillpond()
  try {
    const service = connect(own.port, { timeout: '20s' })
    await service.command('SET', 'a', 1)
    const waiting = reasonOf(service.call(['BLPOP', 'list', 0], { timeout: 'forever' }))
    await own.kill9()
    expect(await waiting).toBe('connection')
    const meanwhile = service.command('SET', 'b', 2)
    expect(service.status()).toMatchObject({ connected: false, waiting: 1 })
    await own.restart()
    expect(await meanwhile).toBe('OK')
    expect(service.status()).toMatchObject({ connected: true, reconnects: 1, waiting: 0 })
  } finally {
    await own.destroy()
  }
})

test('while there is no server, commands fail in their time and say why; of a store at once', async () => {
  const port = await closedPort()
  const service = connect(port, { timeout: 200 })
  const error = (await service.command('PING').catch((thrown: unknown) => thrown)) as ServiceError
  expect(error.reason).toBe('timeout')
  expect(error.message).toContain('millpond serve')
  const store = serviceStore(`millpond://127.0.0.1:${port}`, { timeout: '1m' })
  // The first call waits until it is known that there is no connection; the others know.
  await expect(store.read(['a'], [])).rejects.toMatchObject({ code: 'ERR_STORE' })
  await expect(store.read(['a'], [])).rejects.toMatchObject({ code: 'ERR_STORE' })
  await store.close()
})

test('a server that is frozen is given up, and what waits behind fails with it', async () => {
  const service = connect(proxy.port, { timeout: 2000, connectTimeout: 2000 })
  await service.ready()
  proxy.swallow('toClient')
  expect(await Promise.all([reasonOf(service.command('PING')), reasonOf(service.command('PING'))])).toEqual(['timeout', 'timeout']) // biome-ignore format: one line
  await proxy.heal()
  await until('it is back', () => service.command('PING').then((reply) => reply === 'PONG', () => false)) // biome-ignore format: one line
})

test('a command may wait for ever, and those behind it with it', async () => {
  const [service, other] = [connect(server.port, { timeout: 2000 }), connect()]
  const popped = service.call(['BLPOP', 'queue', 0], { timeout: 'forever' })
  await until('it waits', async () =>
    ((await other.command('INFO', 'clients')) as string).includes('blocked_clients:1'),
  )
  await other.command('RPUSH', 'queue', 'job')
  expect(await popped).toEqual(['queue', 'job'])
})

test('too much at once is refused', async () => {
  const service = connect(server.port, { waitingMax: 10 })
  const reasons = await Promise.all(Array.from({ length: 12 }, () => service.command('PING').then(() => 'done', (error: ServiceError) => error.reason))) // biome-ignore format: one line
  expect(reasons.filter((reason) => reason === 'overload')).toHaveLength(2)
  expect(reasons.filter((reason) => reason === 'done')).toHaveLength(10)
})

test('close waits for answers, and refuses what comes after', async () => {
  const service = connect()
  const answers = [service.command('PING'), service.command('PING')]
  await service.close()
  expect(await Promise.all(answers)).toEqual(['PONG', 'PONG'])
  await expect(service.command('PING')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})

test('close does not wait for ever for a command that may', async () => {
  const service = connect(server.port, { timeout: 2000 })
  const popped = reasonOf(service.call(['BLPOP', 'never', 0], { timeout: 'forever' }))
  await service.ready()
  await service.close()
  expect(await popped).toBe('connection')
})

test('of a load that misses a store is asked twice: one read, one fenced fill; a hit is one read', async () => {
  const store = serviceStore(`millpond://127.0.0.1:${proxy.port}`)
  const open = () =>
    createCache({ name: 'counted', memory: false, store, storeTimeout: '10s', fence: '1m', lease: '1m' })
  const [one, other] = [open(), open()]
  await one.getOrSet('warm', () => 1, { tags: ['t'] })
  await one.getOrSet('a', () => 1)
  await until('it is filled', async () => (await other.get('a')) === 1)
  proxy.forgetCommands()
  expect(await one.getOrSet('b', () => 2)).toBe(2)
  await one.close()
  expect(proxy.commands()).toEqual({ FILL: 2 })
  expect(await other.getOrSet('b', () => 3)).toBe(2)
  expect(proxy.commands()).toEqual({ FILL: 3 })
  await other.close()
  await store.close()
})

test('a server that is no Millpond is told from one', async () => {
  const redis: RedisServer = await startRedis()
  try {
    const service = connect(redis.port)
    const error = (await service.ready().catch((thrown: unknown) => thrown)) as ServiceError
    expect(error.reason).toBe('unsupported')
    expect(error.message).toMatch(/is no Millpond, it says that it is redis .*millpond\/valkey/)
  } finally {
    await redis.destroy()
  }
})

test('addresses: what cannot be is refused, and the token is not told', () => {
  for (const url of [
    'http://a',
    'millpond://host:port',
    'millpond://shop:s3cret@host:99999',
    'millpond://shop:%s3cret@host',
  ]) {
    const error = (() => {
      try {
        return void connectService(url)
      } catch (thrown) {
        return thrown as Error
      }
    })()
    expect(error, url).toMatchObject({ code: 'ERR_OPTION' })
    expect(error?.message).not.toContain('s3cret')
  }
  expect(connectService('millponds://shop:a%40b@[::1]:7000')).toMatchObject({ place: '[::1]:7000', cache: 'shop' })
  expect(connectService('unix://shop:token@/run/millpond.sock')).toMatchObject({ place: '/run/millpond.sock' })
})

test('a cache of another name needs a token', async () => {
  const service = connectService(`millpond://shop@127.0.0.1:${server.port}`)
  expect(await reasonOf(service.ready())).toBe('access')
  await service.close()
})

test('what a store stores, valkeyStore reads: both keep one form', async () => {
  const [service, store] = [connect(), serviceStore(`millpond://127.0.0.1:${server.port}`)]
  await store.fill('form', { value: 'v', freshMs: 60_000, keepMs: Number.POSITIVE_INFINITY, tags: [] }, '')
  const [seconds] = (await service.command('TIME')) as [string]
  const text = (await service.command('GET', 'form')) as string
  const [freshEnds] = JSON.parse(text.slice(18, text.indexOf('\n'))) as number[]
  expect(Math.abs(freshEnds! - Number(seconds) * 1000 - 60_000)).toBeLessThan(5000)
  await store.close()
})

test('caches and tokens are managed by an admin; a token opens its cache alone', async () => {
  const admin = connect()
  await admin.caches.create('shop', { maxMemory: '16mb', defaultTtl: '1m', operations: 1000 })
  expect(await admin.caches.list()).toEqual(['default', 'shop'])
  expect(await admin.caches.describe('shop')).toMatchObject({ maxBytes: 16 * 2 ** 20, defaultTtlMs: 60_000, maxTtlMs: null, operations: 1000 }) // biome-ignore format: one line
  await admin.caches.update('shop', { maxTtl: '1h', operations: 0 })
  expect(await admin.caches.describe('shop')).toMatchObject({ maxTtlMs: 3_600_000, operations: null })
  const made = await admin.tokens.create('reader', { cache: 'shop', scopes: ['keys:read'], ttl: '1h' })
  expect(made).toMatchObject({ name: 'reader', cache: 'shop', admin: false, scopes: ['keys:read'] })
  const reader = connectService(`millpond://shop:${made.token}@127.0.0.1:${server.port}`)
  expect(await reader.command('GET', 'a')).toBe(null)
  expect(await reasonOf(reader.command('SET', 'a', 1))).toBe('access')
  expect(await reasonOf(reader.caches.list())).toBe('access')
  const writer = connectService(`millpond://shop:${await admin.caches.accessKey('shop', 'primary')}@127.0.0.1:${server.port}`) // biome-ignore format: one line
  expect(await writer.command('SET', 'a', 1)).toBe('OK')
  expect(await admin.command('EXISTS', 'a')).toBe(0)
  await admin.caches.flush('shop')
  expect(await reader.command('GET', 'a')).toBe(null)
  expect((await admin.tokens.list()).map(({ name }) => name)).toEqual(['reader'])
  await admin.tokens.revoke('reader')
  await until('its connection is closed', async () => (await reasonOf(reader.command('PING'))) === 'access')
  expect(await admin.tokens.rotate()).toBe(2)
  await admin.tokens.retire()
  await admin.caches.delete('shop')
  expect(await reasonOf(admin.caches.describe('shop'))).toBe('answer')
  await Promise.all([reader.close(), writer.close()])
})

test('monitoring hears every command, and tells when its connection ends', async () => {
  const service = connect(proxy.port)
  const lines: string[] = []
  let ended: ServiceError | undefined
  await service.monitor(
    (line) => void lines.push(line),
    (error) => {
      ended = error
    },
  )
  await service.command('SET', 'watched', 'x')
  await until('it is heard', async () => lines.some((line) => line.includes('"SET" "watched" "x"')))
  proxy.reset()
  await until('the end is told', async () => ended?.reason === 'connection')
})

test('topics: numbered messages, and from a position on', async () => {
  const topic = connect().topic('news')
  const heard: TopicMessage[] = []
  const subscription = topic.subscribe({ message: (message) => void heard.push(message) })
  await subscription.ready
  const first = await topic.publish('one')
  await topic.publish('two')
  await until('both are heard', async () => heard.length === 2)
  expect(heard).toMatchObject([
    { text: 'one', number: first.number },
    { text: 'two', number: first.number + 1 },
  ])
  expect(subscription.position).toEqual({ page: first.page, number: first.number + 2 })
  expect(await topic.read({ page: first.page, number: first.number + 1 })).toMatchObject({
    messages: [{ text: 'two' }],
  })
  expect(() => topic.subscribe({ message() {} }, { page: 1, number: 1 })).toThrow('already')
  await subscription.close()
  expect((await topic.publish('three')).receivers).toBe(0)
  const later: string[] = []
  const resumed = connect().topic('news').subscribe({ message: ({ text }) => void later.push(text) }, { page: first.page, number: first.number + 1 }) // biome-ignore format: one line
  await until('the missed are heard', async () => later.length === 2)
  expect(later).toEqual(['two', 'three'])
  await resumed.close()
})

test('topics go on where they stopped when the connection was lost, and tell what is gone', {
  timeout: 60_000,
}, async () => {
  const own = await startMillpond()
  const way = await startProxy(own)
  try {
    const [far, near] = [connect(way.port), connect(own.port)]
    const heard: string[] = []
    const gaps: TopicGap[] = []
    const listener = { message: ({ text }: TopicMessage) => void heard.push(text), gap: (gap: TopicGap) => void gaps.push(gap) } // biome-ignore format: one line
    await far.topic('jobs').subscribe(listener).ready
    await near.topic('jobs').publish('1')
    await until('the first is heard', async () => heard.length === 1)
    await way.cut()
    for (const text of ['2', '3', '4']) await near.topic('jobs').publish(text)
    await way.heal()
    await until('the others are heard', async () => heard.length === 4)
    expect([heard, gaps]).toEqual([['1', '2', '3', '4'], []])
    await own.kill9()
    await own.restart()
    await until('the gap is told', async () => gaps.length === 1)
    await near.topic('jobs').publish('5')
    await until('it goes on', async () => heard.length === 5)
    expect(gaps[0]).toMatchObject({ last: 4, next: 1 })
  } finally {
    await way.close()
    await own.destroy()
  }
})

test('the library has no dependency for it', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as object
  expect(manifest).not.toHaveProperty('dependencies')
})

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const listener = net.createServer()
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as net.AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  return port
}
