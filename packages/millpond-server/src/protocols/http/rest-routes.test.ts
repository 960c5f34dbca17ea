import { expect, test } from 'vitest'
import type { RespReply } from '../../../../../tools/servers/resp.ts'
import { type HttpWorld, startHttp } from './http.fixture.ts'

function post(world: HttpWorld, path: string, body: unknown, headers: Record<string, string> = {}) {
  return world.request(`POST ${path}`, JSON.stringify(body), headers)
}

test('commands in the path, with a body and parameters, and as JSON', async () => {
  const world = await startHttp()
  const { request, redis } = world
  expect(await request('GET /set/foo/bar')).toMatchObject({ status: 200, text: '{"result":"OK"}' })
  expect((await request('GET /get/foo')).json).toEqual({ result: 'bar' })
  expect((await request('PUT /SET/foo?EX=100', 'a/b c')).json).toEqual({ result: 'OK' })
  expect((await request('GET /get/foo')).json).toEqual({ result: 'a/b c' })
  expect(await redis('ttl', 'foo')).toBeGreaterThan(90)
  expect((await request('POST /set/foo?NX&GET', 'x')).json).toEqual({ result: 'a/b c' })
  expect((await request('GET /set/a%2Fb%20c/d%3Fe?PX=5000')).json).toEqual({ result: 'OK' })
  expect((await post(world, '/', ['get', 'a/b c'])).json).toEqual({ result: 'd?e' })
  expect((await post(world, '', ['SET', 'n', 12.5, 'EX', 100])).json).toEqual({ result: 'OK' })
  expect((await post(world, '/', ['mget', 'n', 'none', 'foo'])).json).toEqual({ result: ['12.5', null, 'a/b c'] })
  expect((await request('HEAD /get/foo')).status).toBe(200)
})

test('answers are JSON of every kind, binary ones in base64 or as RESP2', async () => {
  const world = await startHttp()
  const bytes = Uint8Array.of(255, 0, 34, 10)
  await world.request('POST /set/bytes', bytes)
  await post(world, '/', ['hset', 'h', 'a', '1', 'ü', '2'])
  const one = async (command: unknown[], headers?: Record<string, string>) =>
    (await post(world, '/', command, headers)).text
  expect(await one(['get', 'bytes'])).toBe(`{"result":${Buffer.from(JSON.stringify('�\0"\n')).toString('latin1')}}`)
  expect(await one(['hgetall', 'h'])).toBe(`{"result":["a","1","${Buffer.from('ü').toString('latin1')}","2"]}`)
  expect(await one(['incrby', 'n', '9223372036854775807'])).toBe('{"result":9223372036854775807}')
  expect(await one(['zadd', 'z', 'INCR', '1.5', 'm'])).toBe('{"result":"1.5"}')
  expect(await one(['ping'])).toBe('{"result":"PONG"}')
  const base64 = { 'Upstash-Encoding': 'base64' }
  expect(await one(['get', 'bytes'], base64)).toBe('{"result":"/wAiCg=="}')
  expect(await one(['set', 'a', 'OK'], base64)).toBe('{"result":"OK"}')
  expect(await one(['mget', 'a', 'none'], base64)).toBe('{"result":["T0s=",null]}')
  expect(await one(['nonsense'], base64)).toMatch(/^\{"error":"ERR unknown command/)
  const resp2 = { 'Upstash-Response-Format': 'resp2' }
  expect(await one(['get', 'bytes'], resp2)).toBe('$4\r\n\xff\0"\n\r\n')
  expect(await one(['mget', 'a', 'none'], resp2)).toBe('*2\r\n$2\r\nOK\r\n$-1\r\n')
  const failed = await post(world, '/', ['incr', 'a'], resp2)
  expect(failed).toMatchObject({ status: 400, text: '-ERR value is not an integer or out of range\r\n' })
  expect(failed.headers.get('content-type')).toBe('application/octet-stream')
  expect((await post(world, '/pipeline', [['ping'], ['get', 'a']], resp2)).text).toBe('$4\r\nPONG\r\n$2\r\nOK\r\n')
  for (const headers of [{ 'Upstash-Response-Format': 'xml' }, { ...base64, ...resp2 }]) {
    expect((await post(world, '/', ['ping'], headers)).status).toBe(400)
  }
  expect((await post(world, '/multi-exec', [['ping']], resp2)).status).toBe(400)
})

test('pipelines answer each command, transactions all or none', async () => {
  const world = await startHttp()
  const commands = [
    ['SET', 'key1', 'valuex'],
    ['SETEX', 'key2', 13, 'valuez'],
    ['INCR', 'key1'],
    ['ZADD', 'z', 11, 'a', 22, 'b'],
  ]
  const answers = [
    { result: 'OK' },
    { result: 'OK' },
    { error: 'ERR value is not an integer or out of range' },
    { result: 2 },
  ]
  expect(await post(world, '/pipeline', commands)).toMatchObject({ status: 200, json: answers })
  await world.redis('del', 'z')
  expect(await post(world, '/multi-exec', commands)).toMatchObject({ status: 200, json: answers })
  const refused = await post(world, '/multi-exec', [['SET', 'key1', 'new'], ['INCR']])
  expect(refused.status).toBe(400)
  expect((refused.json as { error: string }).error).toBe(
    "EXECABORT Transaction discarded because of: ERR wrong number of arguments for 'incr' command",
  )
  expect(await world.redis('get', 'key1')).toBe('valuex')
  const silent = [
    ['INCR', 'silent'],
    ['CLIENT', 'REPLY', 'OFF'],
  ]
  expect((await post(world, '/multi-exec', silent)).json).toEqual({ result: null })
  expect((await post(world, '/multi-exec', [['INCR', 'silent']])).json).toEqual([{ result: 2 }])
  const several = [['SUBSCRIBE', 'one', 'two']]
  expect((await post(world, '/multi-exec', several)).json).toEqual([{ result: ['subscribe', 'one', 1] }])
  const many = Array.from({ length: 2000 }, () => ['INCR', 'n'])
  const { json } = await post(world, '/pipeline', many)
  expect((json as unknown[]).at(-1)).toEqual({ result: 2000 })
})

test('a request leaves nothing of itself to the next one on its connection', async () => {
  const world = await startHttp()
  const { server } = world
  const lines: readonly unknown[][] = [
    ['SELECT', 5],
    ['MULTI'],
    ['WATCH', 'a'],
    ['HELLO', 3],
    ['CLIENT', 'SETNAME', 'x'],
    ['CLIENT', 'REPLY', 'OFF'],
    ['SUBSCRIBE', 'news'],
    ['MONITOR'],
  ]
  for (const line of lines) {
    await post(world, '/', line)
    expect((await post(world, '/', ['SET', 'a', String(line[0])])).json, String(line)).toEqual({ result: 'OK' })
    expect(await world.redis('get', 'a'), String(line)).toBe(line[0])
  }
  expect(server.service.channels.names('channel')).toEqual([])
  expect(server.service.watchedKeys.active).toBe(false)
  expect(
    (
      await post(world, '/pipeline', [
        ['SELECT', 5],
        ['SET', 'b', 1],
        ['SELECT', 0],
        ['GET', 'b'],
      ])
    ).json,
  ).toEqual([{ result: 'OK' }, { result: 'OK' }, { result: 'OK' }, { result: null }])
})

test('commands that wait wait, also within a pipeline, and never within a transaction', async () => {
  const world = await startHttp()
  const waits = () => expect.poll(() => world.server.service.waiters.count).toBe(1)
  const pop = post(world, '/pipeline', [
    ['BLPOP', 'list', 0],
    ['INCR', 'n'],
    ['BLPOP', 'list', 0.01],
  ])
  await waits()
  await world.redis('rpush', 'list', 'x')
  expect((await pop).json).toEqual([{ result: ['list', 'x'] }, { result: 1 }, { result: null }])
  expect((await post(world, '/multi-exec', [['BLPOP', 'list', 0]])).json).toEqual([{ result: null }])
  const paused = world.redis('client', 'pause', 100, 'write')
  await paused
  expect((await world.request('GET /set/a/b')).json).toEqual({ result: 'OK' })
})

test('a page of events: messages, and commands as they go by', async () => {
  const { url, request, redis, server } = await startHttp()
  const aborting = new AbortController()
  const lines = await streamOf(`${url}/subscribe/chat/other`, aborting.signal)
  expect([await lines(), await lines()]).toEqual(['data: subscribe,chat,1', 'data: subscribe,other,2'])
  expect((await request('POST /publish/chat', 'hello, you')).json).toEqual({ result: 1 })
  expect(await lines()).toBe('data: message,chat,hello, you')
  await redis('publish', 'other', 'two\nlines')
  expect([await lines(), await lines()]).toEqual(['data: message,other,two', 'data: lines'])
  const monitor = await streamOf(`${url}/monitor`, aborting.signal)
  expect(await monitor()).toBe('data: "OK"')
  await redis('get', 'a "b"')
  expect(await monitor()).toMatch(/^data: \d+\.\d+ \[0 127\.0\.0\.1:\d+\] "get" "a \\"b\\""$/)
  aborting.abort()
  await expect.poll(() => server.service.channels.names('channel')).toEqual([])
  await expect.poll(() => server.service.modes).toBe(0)
})

/** Lines of a stream of events, without those between them. */
async function streamOf(url: string, signal: AbortSignal): Promise<() => Promise<string>> {
  const response = await fetch(url, { method: 'POST', headers: { Accept: 'text/event-stream' }, signal })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return async () => {
    for (;;) {
      const end = text.indexOf('\n')
      const line = text.slice(0, Math.max(0, end))
      text = end < 0 ? text : text.slice(end + 1)
      if (line !== '') return line
      if (end >= 0) continue
      const { value = '', done } = await reader.read()
      if (done) throw new Error('the stream has ended')
      text += value
    }
  }
}

test.each([
  ['POST /', '{"a":1}', 400],
  ['POST /', '[]', 400],
  ['POST /', '["SET","a",null]', 400],
  ['POST /', '["SET","a",12345678901234567890]', 400],
  ['POST /', 'nonsense', 400],
  ['POST /pipeline', '["GET","a"]', 400],
  ['GET /', undefined, 400],
  ['GET /incr/list', undefined, 400],
  ['GET /nonsense/a', undefined, 400],
  ['DELETE /get/a', undefined, 405],
])('%s %s is answered by %i', async (line, body, status) => {
  const { request, redis } = await startHttp()
  await redis('rpush', 'list', 'x')
  const answer = await request(line, body)
  expect(answer.status).toBe(status)
  expect(typeof (answer.json as { error: unknown }).error).toBe('string')
})

/** The same by RESP: an answer, or its error. */
async function byRedis({ redis }: HttpWorld, words: readonly (string | number)[]): Promise<unknown> {
  return redis(...words).then(
    (result: RespReply) => ({ result }),
    (error: Error) => ({ error: error.message }),
  )
}

test('every command answers as it does by RESP', async () => {
  const [one, other] = [await startHttp(), await startHttp()]
  const script = `
    set a 1|append a 23|get a|incrbyfloat a 0.5|getrange a 0 1|strlen a|setrange a 1 xyz|mset b 1 c 2|mget a b none
    hset h f 1 g 2|hgetall h|hincrby h f 5|hrandfield none|hmget h f none|hkeys h|hlen h|hexists h f|hstrlen h f
    rpush l a b c|lrange l 0 -1|lpos l b|linsert l before b x|lpop l 2|lindex l 9|llen l|ltrim l 0 0|rpoplpush l m
    sadd s a b c|scard s|sismember s a|smismember s a z|smembers none|sintercard 2 s s|spop none
    zadd z 1 a 2.5 b|zrange z 0 -1 withscores|zscore z b|zrank z none|zincrby z 1 a|zpopmin z|zrangebyscore z -inf +inf
    xadd x 1-1 f v|xrange x - +|xread streams x 0|xlen x|xinfo stream none|xgroup create x g 0|xreadgroup group g c streams x >
    expire a 100|persist a|ttl a|type a|exists a b none|rename a d|object encoding b|copy b e|randomkey none|touch b c
    setbit bits 7 1|bitcount bits|bitfield bits get u8 0|pfadd hll a b|pfcount hll|geoadd g 13.36 38.1 p|geodist g p p km
    eval |eval return{1,{2,'x'},redis.status_reply('fine')} 0|get|nonsense a|lpush b x|incr h|config get maxmemory-policy
    object help|command count x|setex a 0 x|sort l alpha|lcs b c|dump none|echo hi|ping hi|select 99|dbsize|getdel d
  `
  const lines = script
    .split(/[|\n]/)
    .map((line) => line.trim())
    .filter(Boolean)
  expect(lines.length).toBeGreaterThan(80)
  for (const line of lines) {
    const words = line.split(' ')
    const { json } = await one.request(`POST /`, JSON.stringify(words))
    expect(json, line).toEqual(await byRedis(other, words))
  }
})
