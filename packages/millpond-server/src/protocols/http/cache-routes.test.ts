import net from 'node:net'
import { expect, test } from 'vitest'
import { exchangeBytes, startHttp } from './http.fixture.ts'

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte)
const EVERY_BYTE_TEXT = Buffer.from(EVERY_BYTE).toString('latin1')

test('a value is put, got and deleted, as Momento has it', async () => {
  const { request } = await startHttp()
  expect(await request('PUT /cache/default?key=a&ttl_seconds=100', 'hello')).toMatchObject({ status: 204, text: '' })
  const hit = await request('GET /cache/default?key=a')
  expect(hit).toMatchObject({ status: 200, text: 'hello' })
  expect(hit.headers.get('content-type')).toBe('application/octet-stream')
  expect(hit.headers.get('cache-control')).toBe('no-store')
  const head = await request('HEAD /cache/default?key=a')
  expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '5'])
  expect((await request('POST /cache/default?key=a', 'again')).status).toBe(204)
  expect((await request('GET /cache/default?key=a')).text).toBe('again')
  expect((await request('DELETE /cache/default?key=a')).status).toBe(204)
  expect((await request('DELETE /cache/default?key=a')).status).toBe(204)
  const miss = await request('GET /cache/default?key=a')
  expect(miss.headers.get('content-type')).toBe('application/problem+json')
  expect(miss).toMatchObject({
    status: 404,
    json: { type: 'urn:millpond:problem:notfound', title: 'Not Found', status: 404, code: 'NOTFOUND' },
  })
})

test('the life of a value is what was asked for, or for ever', async () => {
  const { request, redis } = await startHttp()
  await request('PUT /cache/default?key=a&ttl_seconds=100', 'x')
  await request('PUT /cache/default?key=b&ttl_seconds=0.5', 'x')
  await request('PUT /cache/default?key=c', 'x')
  expect(await redis('pttl', 'a')).toBeGreaterThan(90_000)
  expect(await redis('pttl', 'b')).toBeLessThanOrEqual(500)
  expect(await redis('ttl', 'c')).toBe(-1)
  for (const ttl of ['0', '-1', 'x', '1e3', '9999999999999999']) {
    const answer = await request(`PUT /cache/default?key=a&ttl_seconds=${ttl}`, 'y')
    expect(answer, ttl).toMatchObject({ status: 400, json: { code: 'INVALID' } })
  }
})

test('keys and values are bytes, and the same ones by every protocol', async () => {
  const { request, redis, server } = await startHttp()
  const escaped = [...EVERY_BYTE].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const base64 = Buffer.from(EVERY_BYTE).toString('base64')
  await request(`PUT /cache/default?key=${escaped}`, EVERY_BYTE)
  expect((await request(`GET /cache/default?key_base64=${encodeURIComponent(base64)}`)).text).toBe(EVERY_BYTE_TEXT)
  expect((await request(`GET /cache/default?key_base64=${Buffer.from(EVERY_BYTE).toString('base64url')}`)).status).toBe(
    200,
  )
  expect(await redis('keys', '*')).toEqual([EVERY_BYTE_TEXT])
  await redis('set', 'café au lait', 'by redis')
  expect((await request('GET /cache/default?key=caf%C3%A9+au%20lait')).text).toBe('by redis')
  await request('PUT /cache/default?key=shared', 'by http')
  const memcached = await memcachedGet(server.ports['memcached-port'], 'shared')
  expect(memcached).toBe('VALUE shared 0 7\r\nby http\r\nEND\r\n')
})

async function memcachedGet(port: number, key: string): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1' })
  socket.write(`get ${key}\r\n`)
  let text = ''
  for await (const part of socket) {
    text += String(part)
    if (text.endsWith('END\r\n')) break
  }
  return text
}

test('large values go in and out whole, also in pieces of unknown length', async () => {
  const { request, port } = await startHttp()
  const value = Buffer.alloc(3_000_000, 'abcdefg')
  expect((await request('PUT /cache/default?key=big', value)).status).toBe(204)
  const got = await request('GET /cache/default?key=big')
  expect(got.text === value.toString()).toBe(true)
  const chunked =
    'PUT /cache/default?key=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  expect(await exchangeBytes(port, chunked, '\r\n\r\n')).toContain('204')
  expect((await request('GET /cache/default?key=c')).text).toBe('abcde')
})

test.each([
  ['GET /cache/default', 400, 'INVALID'],
  ['GET /cache/default?key=a&key_base64=YQ', 400, 'INVALID'],
  ['GET /cache/default?key_base64=%25', 400, 'INVALID'],
  ['GET /cache/none?key=a', 404, 'NOTFOUND'],
  ['GET /cache/default/a', 404, 'NOTFOUND'],
  ['PATCH /cache/default?key=a', 405, 'METHOD'],
  ['GET /cache/default?key=list', 409, 'WRONGTYPE'],
  ['GET /cache/default?key=a&token=b', 404, 'NOTFOUND'],
])('%s is answered by %i %s', async (line, status, code) => {
  const { request, redis } = await startHttp()
  await redis('rpush', 'list', 'x')
  expect(await request(line)).toMatchObject({ status, json: { code, status } })
})

test('one connection serves many requests, sent at once, in order', async () => {
  const { port, redis } = await startHttp()
  await redis('set', 'n', '0')
  const requests = Array.from({ length: 100 }, () => 'GET /incr/n HTTP/1.1\r\nHost: x\r\n\r\n').join('')
  const text = await exchangeBytes(port, `${requests}GET /get/n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  expect([...text.matchAll(/"result":(\d+)/g)].map(([, n]) => Number(n))).toEqual(
    Array.from({ length: 100 }, (_, at) => at + 1),
  )
  expect(text).toContain('{"result":"100"}')
})
