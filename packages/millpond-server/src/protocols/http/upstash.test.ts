/** The judge of the REST shape: the client of Upstash itself, moved here by its address alone. */
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import { expect, test } from 'vitest'
import { startHttp } from './http.fixture.ts'

async function start(options: object = {}): Promise<Redis> {
  const { url } = await startHttp()
  return new Redis({ url, token: 'any', enableTelemetry: false, retry: false, ...options })
}

test('strings, with everything that the client makes of them', async () => {
  const redis = await start()
  expect(await redis.set('a', { deep: [1, 'ü', null] }, { ex: 100 })).toBe('OK')
  expect(await redis.get('a')).toEqual({ deep: [1, 'ü', null] })
  expect(await redis.set('a', 'x', { nx: true })).toBe(null)
  expect(await redis.set('text', 'OK')).toBe('OK')
  expect(await redis.get('text')).toBe('OK')
  expect(await redis.incrby('n', 41)).toBe(41)
  expect(await redis.incrbyfloat('n', 0.5)).toBe(41.5)
  expect(await redis.mset({ b: 1, c: 'two' })).toBe('OK')
  expect(await redis.mget('b', 'c', 'none')).toEqual([1, 'two', null])
  expect(await redis.ttl('a')).toBeGreaterThan(90)
  expect(await redis.exists('a', 'b', 'none')).toBe(2)
  expect(await redis.getdel('b')).toBe(1)
  expect(await redis.type('a')).toBe('string')
  expect((await redis.scan(0, { match: 'c*' }))[1]).toEqual(['c'])
  await expect(redis.incr('a')).rejects.toThrow('not an integer')
})

test('collections, streams and places', async () => {
  const redis = await start()
  expect(await redis.hset('h', { name: 'Ann', age: 7, tags: ['a'] })).toBe(3)
  expect(await redis.hgetall('h')).toEqual({ name: 'Ann', age: 7, tags: ['a'] })
  expect(await redis.hmget('h', 'name', 'none')).toEqual({ name: 'Ann', none: null })
  expect(await redis.lpush<unknown>('l', 1, 'two', { three: 3 })).toBe(3)
  expect(await redis.lrange('l', 0, -1)).toEqual([{ three: 3 }, 'two', 1])
  expect(await redis.sadd('s', 'a', 'b')).toBe(2)
  expect((await redis.smembers('s')).toSorted()).toEqual(['a', 'b'])
  expect(await redis.smismember('s', ['a', 'z'] as never)).toEqual([1, 0])
  expect(await redis.zadd('z', { score: 1, member: 'a' }, { score: 2.5, member: 'b' })).toBe(2)
  expect(await redis.zrange('z', 0, -1, { withScores: true })).toEqual(['a', 1, 'b', 2.5])
  expect(await redis.zscore('z', 'b')).toBe(2.5)
  expect(await redis.xadd('x', '1-1', { field: 'v' })).toBe('1-1')
  expect(await redis.xrange('x', '-', '+')).toEqual({ '1-1': { field: 'v' } })
  expect(await redis.geoadd('g', { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' })).toBe(1)
  expect(await redis.geodist('g', 'Palermo', 'Palermo', 'KM')).toBe('0.0000')
  expect(await redis.setbit('bits', 7, 1)).toBe(0)
  expect(await redis.pfadd('hll', 'a', 'b')).toBe(1)
  expect(await redis.bitcount('bits', 0, -1)).toBe(1)
})

test('pipelines, transactions and automatic pipelines', async () => {
  const redis = await start()
  const pipeline = redis.pipeline().set('a', 1).incr('a').get<number>('a').hset('h', { f: 'v' })
  expect(await pipeline.exec()).toEqual(['OK', 2, 2, 1])
  expect(await redis.multi().incr('a').get('a').exec()).toEqual([3, 3])
  await expect(redis.pipeline().lpush('a', 'x').exec()).rejects.toThrow('WRONGTYPE')
  const automatic = await start({ enableAutoPipelining: true })
  expect(await Promise.all([automatic.set('k', 'v'), automatic.incr('n'), automatic.incr('n')])).toEqual(['OK', 1, 2])
})

test('scripts by text and by digest', async () => {
  const redis = await start()
  const script = redis.createScript<string[]>('return { KEYS[1], ARGV[1] }')
  expect(await script.exec(['key'], ['arg'])).toEqual(['key', 'arg'])
  expect(await script.exec(['key'], ['arg'])).toEqual(['key', 'arg'])
  expect(await redis.eval('return redis.call("incr", KEYS[1])', ['n'], [])).toBe(1)
})

test('messages by events', async () => {
  const redis = await start()
  const subscription = redis.subscribe<{ hello: string }>(['news'])
  const messages: unknown[] = []
  const subscribed = new Promise((resolve) => subscription.on('subscribe', resolve))
  subscription.on('message', (message) => messages.push(message))
  await subscribed
  expect(await redis.publish('news', { hello: 'ü, you' })).toBe(1)
  await expect.poll(() => messages).toEqual([{ channel: 'news', message: { hello: 'ü, you' } }])
  await subscription.unsubscribe()
  const patterns = redis.psubscribe(['n*'])
  const matched: unknown[] = []
  patterns.on('pmessage', (message) => matched.push(message))
  await expect.poll(() => redis.publish('news', '1')).toBeGreaterThan(0)
  await expect.poll(() => matched.length).toBeGreaterThan(0)
  expect(matched[0]).toEqual({ pattern: 'n*', channel: 'news', message: 1 })
  await patterns.unsubscribe()
})

test.each([
  ['fixed window', Ratelimit.fixedWindow(3, '1 h')],
  ['sliding window', Ratelimit.slidingWindow(3, '1 h')],
  ['token bucket', Ratelimit.tokenBucket(3, '1 h', 3)],
])('@upstash/ratelimit: %s', async (_name, limiter) => {
  const limit = new Ratelimit({ redis: await start(), limiter, ephemeralCache: false })
  const answers: boolean[] = []
  for (let turn = 0; turn < 5; turn++) answers.push((await limit.limit('ann')).success)
  expect(answers).toEqual([true, true, true, false, false])
  expect((await limit.limit('bob')).success).toBe(true)
})
