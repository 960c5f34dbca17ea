import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SERVICE_MODE } from '../../commands/modes.ts'
import { startClosed, startHttp } from './http.fixture.ts'

test('caches are made, told, changed, flushed and deleted', async () => {
  const { request } = await startHttp()
  const settings = {
    name: 'shop',
    max_bytes: 8_000_000,
    policy: 'allkeys-lru',
    default_ttl_ms: 60_000,
    operations: 1000,
  }
  const made = await request('POST /admin/caches', JSON.stringify(settings))
  expect(made).toMatchObject({ status: 201, json: { ...settings, keys: 0, max_ttl_ms: null } })
  expect((await request('GET /admin/caches')).json).toMatchObject([{ name: 'default' }, { name: 'shop' }])
  const changed = await request('PATCH /admin/caches/shop', JSON.stringify({ operations: null, max_ttl_ms: 120_000 }))
  expect(changed).toMatchObject({
    status: 200,
    json: { operations: null, max_ttl_ms: 120_000, default_ttl_ms: 60_000 },
  })
  await request('PUT /cache/shop?key=a', 'x')
  expect((await request('GET /admin/caches/shop')).json).toMatchObject({ keys: 1 })
  expect((await request('POST /admin/caches/shop/flush')).status).toBe(204)
  expect((await request('GET /admin/caches/shop')).json).toMatchObject({ keys: 0 })
  expect((await request('DELETE /admin/caches/shop')).status).toBe(204)
  expect(await request('GET /admin/caches/shop')).toMatchObject({ status: 404, json: { code: 'NOTFOUND' } })
})

test('tokens are made, listed without themselves, and revoked', async () => {
  const { request, admin, server } = await startClosed()
  const wanted = { name: 'ann', scopes: ['keys:read:user:*'], ttl_seconds: 60, operations: 5 }
  const made = await request('POST /admin/tokens', JSON.stringify(wanted), admin)
  const { token, ...told } = made.json as { readonly token: string }
  expect(made.status).toBe(201)
  expect(told).toMatchObject({ name: 'ann', cache: 'default', scopes: wanted.scopes, admin: false, operations: 5 })
  const listed = await request('GET /admin/tokens', undefined, admin)
  expect(listed.json).toMatchObject([{ name: 'ann' }])
  expect(listed.text).not.toContain(token)
  expect((await request('POST /admin/keys/rotate', undefined, admin)).status).toBe(204)
  expect(server.host.entrance?.tokens.keys.all).toHaveLength(2)
  expect((await request('POST /admin/keys/retire', undefined, admin)).status).toBe(204)
  expect((await request('GET /get/user:1', undefined, { Authorization: token })).status).toBe(401)
  expect((await request('DELETE /admin/tokens/ann', undefined, admin)).status).toBe(204)
  expect(await request('DELETE /admin/tokens/ann', undefined, admin)).toMatchObject({ status: 404 })
})

test.each([
  ['GET /admin/nothing', undefined, 404, 'NOTFOUND'],
  ['PUT /admin/caches', undefined, 405, 'METHOD'],
  ['POST /admin/caches', '[]', 400, 'INVALID'],
  ['POST /admin/caches', '{}', 400, 'INVALID'],
  ['POST /admin/caches', '{"name":"default"}', 409, 'EXISTS'],
  ['POST /admin/caches', '{"name":"a","size":1}', 400, 'INVALID'],
  ['POST /admin/caches', '{"name":"a","operations":-1}', 400, 'INVALID'],
  ['POST /admin/caches', '{"name":"a","constructor":1}', 400, 'INVALID'],
  ['POST /admin/tokens', '{"name":"a","scopes":["x"]}', 400, 'INVALID'],
  ['POST /admin/tokens', '{"name":"a","admin":1}', 400, 'INVALID'],
  ['DELETE /admin/caches/default', undefined, 400, 'ERR'],
  ['GET /metrics/more', undefined, 404, 'NOTFOUND'],
])('%s %s is answered by %i %s', async (line, body, status, code) => {
  const { request } = await startHttp()
  expect(await request(line, body)).toMatchObject({ status, json: { code } })
})

test('the slow log tells what took long, and no secret', async () => {
  const { request, redis } = await startHttp([['slowlog-log-slower-than', '0']])
  await redis('set', 'a', 'x')
  await redis('auth', 'default', 'top-secret').catch(() => {})
  const { json, text } = await request('GET /admin/slowlog')
  expect(json).toContainEqual(expect.objectContaining({ words: ['set', 'a', 'x'] }))
  expect(text).not.toContain('top-secret')
})

test('Prometheus is told of each cache, and of the process', async () => {
  const { request, redis } = await startHttp()
  await request('POST /admin/caches', JSON.stringify({ name: 'shop' }))
  await request('PUT /cache/shop?key=a', 'x')
  for (const key of ['a', 'a', 'b']) await request(`GET /cache/shop?key=${key}`)
  await redis('incr', 'n')
  const { status, headers, text } = await request('GET /metrics')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  for (const line of [
    'millpond_hits_total{cache="shop"} 2',
    'millpond_misses_total{cache="shop"} 1',
    'millpond_keys{cache="shop"} 1',
    'millpond_keys{cache="default"} 1',
    'millpond_caches 2',
    'millpond_command_duration_seconds_count{cache="shop",command="get"} 3',
    'millpond_command_duration_seconds_bucket{cache="default",command="incr",le="+Inf"} 1',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
  expect(text).toMatch(/^# TYPE millpond_command_duration_seconds histogram$/m)
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m)
  expect(text).toMatch(/^process_resident_memory_bytes \d/m)
  await request('GET /cache/shop?key=a')
  expect((await request('GET /metrics')).text).toContain('millpond_hits_total{cache="shop"} 3')
})

test('Prometheus is told how often the log was synced, and how long that took', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millpond-metrics-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const { request } = await startHttp([
    ['dir', dir],
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
  ])
  const read = async (name: string): Promise<number> => {
    const { text } = await request('GET /metrics')
    return Number(new RegExp(`^millpond_log_${name}\\{cache="default"\\} (\\S+)$`, 'm').exec(text)?.[1])
  }
  const [syncs, seconds] = [await read('syncs_total'), await read('sync_seconds_total')]
  await request('GET /set/a/x')
  await request('GET /set/a/y')
  expect(await read('syncs_total')).toBe(syncs + 2)
  expect(await read('sync_seconds_total')).toBeGreaterThan(seconds)
})

test('health: alive always, ready while commands can be served', async () => {
  const { request, server } = await startHttp()
  expect(await request('GET /health/live')).toMatchObject({ status: 200, text: 'ok\n' })
  expect(await request('GET /health/ready')).toMatchObject({ status: 200, text: 'ok\n' })
  server.service.setMode(SERVICE_MODE.LOG_FAILED, true)
  const failed = await request('GET /health/ready')
  expect(failed).toMatchObject({ status: 503, text: "the log of cache 'default' can not be written\n" })
  expect((await request('GET /health/live')).status).toBe(200)
  server.service.setMode(SERVICE_MODE.LOG_FAILED, false)
  expect((await request('POST /health/ready')).status).toBe(405)
  expect((await request('GET /health/other')).status).toBe(404)
})

test('health: not ready from the moment on at which the server begins to end', async () => {
  const { server, port, request } = await startHttp()
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => (finish = resolve))
  server.service.endings.push(() => held)
  const asking = net.connect(port, '127.0.0.1')
  await once(asking, 'connect')
  asking.write('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n')
  // Who has begun to ask is heard to the end; nobody else is let in.
  for (let times = 0; times < 2; times++) expect((await request('GET /health/ready')).status).toBe(200)
  const closing = server.close()
  try {
    asking.write('\r\n')
    const [answer] = (await once(asking, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 503 .*\r\n\r\nthe server is ending\n$/s)
    await expect(request('GET /health/ready')).rejects.toThrow()
  } finally {
    finish()
    await closing
  }
})
