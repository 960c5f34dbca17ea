/** Imports from real servers that are in use: redis-server and memcached. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type MemcachedServer, startMemcached } from '../../../../../tools/servers/memcached.ts'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { TestService } from '../../commands/testing.ts'
import { digestOf } from '../../engine/digest.ts'
import { Span } from '../../engine/span.ts'
import { type ImportProgress, importFrom } from './import.ts'
import { MemcachedSource } from './memcached-source.ts'
import { RedisSource } from './redis-source.ts'

vi.setConfig({ testTimeout: 120_000 })

/** A cache of the present: sources tell how long their keys live from now on. */
function present(): TestService {
  const service = new TestService()
  service.time.pass(Date.now() - service.time.read())
  return service
}

describe('from Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis({ program: 'redis-server', password: 'word', args: ['--enable-debug-command', 'yes'] })
  })
  afterAll(() => redis.destroy())
  const url = (database = '') => `redis://:word@127.0.0.1:${redis.port}${database}`

  test('all types, databases and expiries, equal by digest; told how far it has come', async () => {
    await redis.command('FLUSHALL')
    await redis.command('DEBUG', 'POPULATE', 3000, 'key', 20)
    await redis.command('RPUSH', 'list', 'a', 'b')
    await redis.command('SADD', 'set', 1, 2, 'x')
    await redis.command('ZADD', 'zset', 1.5, 'a', 2, 'b')
    await redis.command('HSET', 'hash', 'f', 1, 'g', 2)
    await redis.command('XADD', 'stream', '*', 'f', 1)
    await redis.command('SET', 'expires', 1, 'PX', 5_000_000)
    await redis.command('EVAL', "redis.call('SELECT', 5) redis.call('SET', 'other', 'database')", 0)
    const service = present()
    const progress: ImportProgress[] = []
    const done = await importFrom(service, await RedisSource.open(url()), {
      onProgress: (at) => void progress.push(at),
    })
    expect(done).toEqual({ keys: 3007, expired: 0, kept: 0, refused: 0, refusals: [] })
    expect(digestOf(service.databases)).toBe(await redis.command('DEBUG', 'DIGEST'))
    const left = Number(await redis.command('PTTL', 'expires'))
    expect(Math.abs(Number(service.client().say('pttl expires')) - left)).toBeLessThan(60_000)
    expect(progress.at(-1)).toMatchObject({ done: 3007, total: 3007 })
    expect(progress.length).toBeGreaterThan(5)
  })

  test('ended in the middle it goes on where it was; what is here already may stay', async () => {
    await redis.command('FLUSHALL')
    await redis.command('DEBUG', 'POPULATE', 2000, 'key', 20)
    const service = present()
    const stopping = new AbortController()
    let position: string | undefined
    const first = importFrom(service, await RedisSource.open(url('/0')), {
      signal: stopping.signal,
      onProgress: (at) => {
        position = at.position
        stopping.abort()
      },
    })
    await expect(first).rejects.toThrow(/abort/)
    const here = service.client().say('dbsize') as number
    expect(here).toBeGreaterThan(0)
    expect(here).toBeLessThan(2000)
    const rest = await importFrom(service, await RedisSource.open(url('/0')), { ...(position && { from: position }) })
    expect(rest.keys).toBeLessThan(2000)
    expect(digestOf(service.databases)).toBe(await redis.command('DEBUG', 'DIGEST'))
    service.client().say('set key:7 own')
    const again = await importFrom(service, await RedisSource.open(url()), {
      existing: 'keep',
      keysPerSecond: 1_000_000,
    })
    expect(again).toMatchObject({ keys: 0, kept: 2000 })
    expect(service.client().say('get key:7')).toBe('own')
  })

  test('a wrong password, a place where nobody is, what is no URL: told in words', async () => {
    await expect(RedisSource.open(`redis://:no@127.0.0.1:${redis.port}`)).rejects.toThrow(/127\.0\.0\.1:\d+: WRONGPASS/)
    await expect(RedisSource.open('redis://127.0.0.1:1')).rejects.toThrow(/127\.0\.0\.1:1: .*ECONNREFUSED/)
    await expect(RedisSource.open('http://:secret@host')).rejects.toThrow(/^http:\/\/…@host: write redis:/)
  })
})

describe('from memcached', () => {
  let memcached: MemcachedServer
  beforeAll(async () => {
    memcached = await startMemcached()
  })
  afterAll(() => memcached.destroy())
  const url = () => `memcached://127.0.0.1:${memcached.port}`

  test('values, flags, expiries, odd keys and empty values', async () => {
    const odd = Buffer.from([0x80, 0x20, 0xff, 0x0d])
    let text = `set flagged 17 0 5\r\nhello\r\nset empty 0 0 0\r\n\r\nset expires 1 1000 1\r\nx\r\nms ${odd.toString('base64')} 2 b\r\nhi\r\n`
    for (let at = 0; at < 1000; at++) text += `set key:${at} ${at} 0 ${String(at).length}\r\n${at}\r\n`
    await tell(memcached.port, text, 1004)
    const service = present()
    const progress: number[] = []
    const source = await MemcachedSource.open(url())
    const done = await importFrom(service, source, { onProgress: ({ done: at }) => void progress.push(at) })
    expect(done).toMatchObject({ keys: 1004, expired: 0, refused: 0 })
    const [db] = service.databases
    const held = (key: string | Buffer) => db!.peek(new Span(Buffer.from(key)))
    expect(held('flagged')).toMatchObject({ clientFlags: 17, expiresAtMs: Infinity })
    expect(Buffer.from(held('flagged')!.bytes!).toString()).toBe('hello')
    expect(held('empty')!.bytes).toHaveLength(0)
    expect(held('key:999')).toMatchObject({ clientFlags: 999 })
    expect(Buffer.from(held(odd)!.bytes!).toString()).toBe('hi')
    const left = held('expires')!.expiresAtMs - Date.now()
    expect(left).toBeGreaterThan(900_000)
    expect(left).toBeLessThanOrEqual(1_000_000)
    expect(progress.at(-1)).toBe(1004)
  })

  test('it has to begin anew, and says so', async () => {
    const source = await MemcachedSource.open(url())
    await expect(importFrom(present(), source, { from: '7' })).rejects.toThrow(/has to begin anew/)
  })
})

/** Sends commands, and waits for so many lines. */
async function tell(port: number, text: string, lines: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(text)
  let left = lines
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    for (const byte of bytes) if (byte === 10) left--
    if (left === 0) break
  }
  socket.destroy()
}
