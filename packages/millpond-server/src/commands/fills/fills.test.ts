import { expect, test } from 'vitest'
import { type TestClient, TestService } from '../testing.ts'

function start() {
  const service = new TestService()
  return { service, client: service.client(), nowMs: service.time.nowMs }
}

const MARK = 'm'.repeat(16)
/** A record of the library with lives in milliseconds. */
const record = (value: string, fresh: number | null = 1000, keep: number | null = 2000, mark = MARK) =>
  `1r${mark}${JSON.stringify([fresh, keep, [], null])}\n${value}`

function readOf(client: TestClient, ...keys: string[]) {
  return client.run('fill', 'read', ...keys) as (string | number | null)[]
}

test('a record is stored with moments instead of lives, and ends with them', () => {
  const { service, client, nowMs } = start()
  expect(client.run('fill', 'put', 'a', '', record('value'))).toBe(1)
  expect(readOf(client, 'a', 'none')).toEqual([nowMs, record('value', nowMs + 1000, nowMs + 2000), null])
  service.time.pass(1999)
  expect(readOf(client, 'a')[0]).toBe(nowMs + 1999)
  service.time.pass(1)
  expect(readOf(client, 'a')[1]).toBe(null)
  expect(client.run('fill', 'put', 'a', '', record('value', null, null))).toBe(1)
  expect(client.say('pttl a')).toBe(-1)
})

test('a fill needs the mark that was read, and nothing else', () => {
  const { client } = start()
  expect(client.run('fill', 'put', 'a', MARK, record('gone'))).toBe(0)
  expect(client.run('fill', 'put', 'a', '', record('first'))).toBe(1)
  expect(client.run('fill', 'put', 'a', '', record('second'))).toBe(0)
  expect(client.run('fill', 'put', 'a', MARK, record('third', 1, 2, 'n'.repeat(16)))).toBe(1)
  expect(client.run('fill', 'put', 'a', MARK, record('fourth'))).toBe(0)
  client.say('set foreign 1')
  expect(client.run('fill', 'put', 'foreign', '', record('a'))).toBe(0)
  expect(client.run('fill', 'put', 'foreign', '?', record('a'))).toBe(1)
  client.say('lpush list 1')
  expect(readOf(client, 'list')[1]).toBe(null)
  expect(client.run('fill', 'put', 'list', '', record('a'))).toBe(0)
})

test('what is no record is refused, and changes nothing', () => {
  const { client } = start()
  for (const text of ['', 'value', `1t${MARK}`, `1r${MARK}[-1,2,[]]\n`, `1r${MARK}["a",2,[]]\n`]) {
    expect(client.run('fill', 'put', 'a', '', text)).toEqual({ error: expect.stringContaining('not in a form') })
  }
  expect(client.say('exists a')).toBe(0)
})

test('a tombstone refuses what was read before, and its fence outlives a short record', () => {
  const { service, client } = start()
  client.run('fill', 'put', 'a', '', record('old'))
  const [mark, other] = client.say('fill fence 5000 0 a b') as string[]
  expect(readOf(client, 'a', 'b').slice(1)).toEqual([`1t${mark}`, `1t${other}`])
  expect(mark).not.toBe(other)
  expect(client.run('fill', 'put', 'a', MARK, record('late'))).toBe(0)
  expect(client.run('fill', 'put', 'a', mark!, record('new', 10, 20))).toBe(1)
  service.time.pass(100)
  expect(client.run('fill', 'put', 'a', '', record('late'))).toBe(0)
  expect(client.say('pttl a')).toBe(4900)
  const [held] = client.say('fill fence 5000 1 b') as string[]
  expect(readOf(client, 'b')[1]).toBe(`1h${held}`)
  expect(client.say('fill fence 5000 2 b')).toEqual({ error: 'ERR syntax error' })
})

test('all who ask for a version are told the same; a bump gives another; a held one keeps its end', () => {
  const { service, client } = start()
  const versions = client.say('fill version 10000 a b a') as string[]
  expect(versions[2]).toBe(versions[0])
  expect(new Set(versions).size).toBe(2)
  service.time.pass(6000)
  expect(client.say('fill version 10000 a')).toEqual([versions[0]])
  expect(client.say('pttl a')).toBe(10_000)
  expect(client.say('pttl b')).toBe(4000)
  const [bumped] = client.say('fill bump 10000 0 a') as string[]
  expect(client.say('fill version 10000 a')).toEqual([bumped])
  const [held] = client.say('fill bump 400 1 a') as string[]
  expect(held).toMatch(/^!/)
  expect(client.say('fill version 10000 a')).toEqual([held])
  expect(client.say('pttl a')).toBe(400)
  service.time.pass(400)
  expect(client.say('fill version 10000 a')).not.toEqual([held])
})

test("a lease is one holder's until it is given back or over", () => {
  const { service, client } = start()
  expect(client.say('fill lease a one 1000')).toBe(1)
  expect(client.say('fill lease a two 1000')).toBe(0)
  expect(client.say('fill lease a one 1000')).toBe(1)
  expect(client.say('fill release a two')).toBe(0)
  expect(client.say('fill release a one')).toBe(1)
  expect(client.say('fill lease a two 1000')).toBe(1)
  service.time.pass(1000)
  expect(client.say('fill lease a one 1000')).toBe(1)
  expect(client.say('fill lease a one 0')).toEqual({ error: 'ERR syntax error' })
})

test('where memory is full, fences and bumps delete, and say that nothing fences', () => {
  const { service, client } = start()
  client.run('fill', 'put', 'a', '', record('old'))
  const [version] = client.say('fill version 10000 tag') as string[]
  client.say('config set maxmemory-policy noeviction')
  client.say('config set maxmemory 1')
  expect(client.run('fill', 'put', 'b', '', record('new'))).toEqual({ error: expect.stringContaining('OOM') })
  expect(client.say('fill fence 5000 0 a')).toEqual({ error: expect.stringContaining('OOM') })
  expect(client.say('fill bump 5000 0 tag')).toEqual({ error: expect.stringContaining('OOM') })
  client.say('config set maxmemory 0')
  expect(service.databases[0]!.size).toBe(0)
  expect(client.say('fill version 10000 tag')).not.toEqual([version])
})

test('the log is told what was stored, whatever chance and time were', () => {
  const { service, client, nowMs } = start()
  const lines = service.logLines()
  client.run('fill', 'put', 'a', '', record('value'))
  const [mark] = client.say('fill fence 5000 0 b') as string[]
  const [version] = client.say('fill version 9000 c') as string[]
  client.say('fill lease d one 1000')
  client.say('fill release d one')
  expect(lines).toEqual([
    `SET a ${record('value', nowMs + 1000, nowMs + 2000)} PXAT ${nowMs + 2000}`,
    `SET b 1t${mark} PXAT ${nowMs + 5000}`,
    `SET c ${version} PXAT ${nowMs + 9000}`,
    `SET d one PXAT ${nowMs + 1000}`,
    'DEL d',
  ])
})
