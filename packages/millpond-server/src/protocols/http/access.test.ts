import { expect, test } from 'vitest'
import { exchangeBytes, type HttpWorld, type Seen, startClosed, startHttp } from './http.fixture.ts'

type Closed = Awaited<ReturnType<typeof startClosed>>

/** A world with the caches 'shop' and 'bank', where nobody gets in without a token. */
async function start(): Promise<Closed> {
  const world = await startClosed()
  for (const name of ['shop', 'bank']) {
    const made = await world.request('POST /admin/caches', JSON.stringify({ name }), world.admin)
    expect(made.status).toBe(201)
  }
  return world
}

async function tokenFor({ request, admin }: Closed, options: object): Promise<string> {
  const made = await request('POST /admin/tokens', JSON.stringify({ name: `t${Math.random()}`, ...options }), admin)
  expect(made.status, made.text).toBe(201)
  return (made.json as { token: string }).token
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const basic = (name: string, secret: string) => ({
  Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
})

test('a token opens its cache in each of the ways in which clients give it', async () => {
  const world = await start()
  const { request } = world
  const token = await tokenFor(world, { cache: 'shop' })
  expect((await request('PUT /cache/shop?key=a', 'x', bearer(token))).status).toBe(204)
  const ways: readonly (readonly [string, Record<string, string>])[] = [
    ['/cache/shop?key=a', { Authorization: token }],
    ['/cache/shop?key=a', basic('shop', token)],
    ['/cache/shop?key=a', basic('', token)],
    [`/cache/shop?key=a&token=${token}`, {}],
  ]
  for (const [path, headers] of ways) expect((await request(`GET ${path}`, undefined, headers)).text, path).toBe('x')
  for (const path of ['/get/a', `/get/a?_token=${token}`]) {
    const headers = path.includes('_token') ? {} : bearer(token)
    expect((await request(`GET ${path}`, undefined, headers)).json, path).toEqual({ result: 'x' })
  }
  const twice = await request(`GET /cache/shop?key=a&token=${token}`, undefined, bearer(token))
  expect(twice).toMatchObject({ status: 400, json: { code: 'INVALID' } })
})

test('a password, a user and an access key open what is theirs', async () => {
  const world = await start()
  const { request, redis, admin } = world
  await redis('acl', 'setuser', 'ann', 'on', '>her-password', '~a*', '+get', '+set')
  const ann = basic('ann', 'her-password')
  expect((await request('GET /set/a1/x', undefined, ann)).json).toEqual({ result: 'OK' })
  expect((await request('GET /cache/default?key=a1', undefined, ann)).text).toBe('x')
  expect(await request('GET /cache/default?key=b', undefined, ann)).toMatchObject({
    status: 403,
    json: { code: 'NOPERM' },
  })
  expect((await request('GET /set/b/x', undefined, ann)).status).toBe(400)
  const made = await request('POST /admin/caches/shop/accesskeys/primary', undefined, admin)
  const { secret } = made.json as { secret: string }
  expect((await request('PUT /cache/shop?key=a', 'y', bearer(secret))).status).toBe(204)
  expect((await request('GET /get/a', undefined, basic('shop', secret))).json).toEqual({ result: 'y' })
  expect((await request('GET /cache/bank?key=a', undefined, bearer(secret))).status).toBe(401)
  for (const who of [basic('shop', secret), ann]) {
    expect(await request('GET /cache/bank?key=a', undefined, who)).toMatchObject({
      status: 403,
      json: { code: 'FORBIDDEN' },
    })
  }
  expect((await request('GET /cache/none?key=a', undefined, ann)).status).toBe(404)
})

test('no token reaches another cache, by no path', async () => {
  const world = await start()
  const { request } = world
  const [shop, bank] = [await tokenFor(world, { cache: 'shop' }), await tokenFor(world, { cache: 'bank' })]
  await request('PUT /cache/bank?key=secret', 'of the bank', bearer(bank))
  const told: Seen[] = []
  for (const line of [
    'GET /cache/bank?key=secret',
    'PUT /cache/bank?key=secret',
    'DELETE /cache/bank?key=secret',
    'GET /topics/bank/news?timeout_seconds=0',
    'POST /topics/bank/news',
    'GET /cache/default?key=secret',
  ]) {
    const seen = await request(line, undefined, bearer(shop))
    expect(seen.status, line).toBe(401)
    told.push(seen)
  }
  for (const line of [
    'GET /get/secret',
    'GET /keys/*',
    'POST /flushall',
    'GET /config/get/*',
    'GET /select/1',
    'GET /slowlog/get',
  ]) {
    told.push(await request(line, undefined, bearer(shop)))
  }
  for (const path of ['caches', 'caches/bank', 'tokens', 'slowlog']) {
    const seen = await request(`GET /admin/${path}`, undefined, bearer(shop))
    expect(seen, path).toMatchObject({ status: 403, json: { code: 'NOPERM' } })
    told.push(seen)
  }
  expect((await request('GET /metrics', undefined, bearer(shop))).status).toBe(403)
  for (const { text } of told) expect(text).not.toContain('of the bank')
  expect((await request('GET /cache/bank?key=secret', undefined, bearer(bank))).text).toBe('of the bank')
})

test('a token of narrower scope does what it may, and hears why not more', async () => {
  const world = await start()
  const { request } = world
  const reads = bearer(await tokenFor(world, { cache: 'shop', scopes: ['keys:read:user:*', 'topics:read:news'] }))
  const writes = bearer(await tokenFor(world, { cache: 'shop' }))
  await request('PUT /cache/shop?key=user:1', 'Ann', writes)
  await request('PUT /cache/shop?key=other', 'x', writes)
  expect((await request('GET /cache/shop?key=user:1', undefined, reads)).text).toBe('Ann')
  for (const line of [
    'GET /cache/shop?key=other',
    'PUT /cache/shop?key=user:1',
    'DELETE /cache/shop?key=user:1',
    'POST /topics/shop/news',
  ]) {
    expect(await request(line, undefined, reads), line).toMatchObject({ status: 403, json: { code: 'NOPERM' } })
  }
  expect((await request('GET /topics/shop/news?timeout_seconds=0', undefined, reads)).status).toBe(200)
  expect((await request('GET /topics/shop/other?timeout_seconds=0', undefined, reads)).status).toBe(403)
  expect((await request('GET /subscribe/other', undefined, reads)).status).toBe(403)
})

test('who says nothing gets nothing but health, and no hint of what is there', async () => {
  const { request, port } = await start()
  for (const line of [
    'GET /cache/default?key=a',
    'GET /cache/shop?key=a',
    'GET /cache/none?key=a',
    'GET /topics/shop/x',
  ]) {
    const seen = await request(line)
    expect(seen.status, line).toBe(401)
    expect(seen.headers.get('www-authenticate')).toBe('Bearer')
  }
  for (const line of ['GET /get/a', 'POST /pipeline', 'GET /metrics', 'GET /admin/caches', 'GET /monitor']) {
    expect((await request(line)).status, line).toBe(401)
  }
  expect((await request('GET /health/live')).status).toBe(200)
  // What it would send is not waited for.
  const head = 'PUT /cache/default?key=a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n'
  expect(await exchangeBytes(port, head)).toMatch(/^HTTP\/1\.1 401[\s\S]*Connection: close/)
})

test('a bad token gets a clear answer, never itself; the answer to a guess waits', async () => {
  const world = await start()
  const { request } = world
  const token = await tokenFor(world, { cache: 'shop' })
  const forged = `${token.slice(0, -4)}AAAA`
  const seen = await request('GET /get/a', undefined, bearer(forged))
  expect(seen).toMatchObject({ status: 401, json: { error: 'WRONGPASS Invalid auth token: its signature is wrong' } })
  expect((await request('GET /get/a', undefined, { Authorization: 'Digest x' })).status).toBe(401)
  const beganMs = performance.now()
  for (let guess = 0; guess < 6; guess++) {
    expect((await request('GET /get/a', undefined, bearer(`guess${guess}`))).status).toBe(401)
  }
  expect(performance.now() - beganMs).toBeGreaterThan(100)
  expect((await request('GET /get/a', undefined, bearer(token))).status).toBe(200)
})

test('revoking a token ends what it has opened at once', async () => {
  const world = await start()
  const { request, admin, server } = world
  const made = await request('POST /admin/tokens', JSON.stringify({ name: 'gone', cache: 'shop' }), admin)
  const { token } = made.json as { token: string }
  const stream = await fetch(`${world.url}/subscribe/news`, { headers: bearer(token) })
  expect(stream.status).toBe(200)
  expect((await request('GET /get/a', undefined, bearer(token))).status).toBe(200)
  expect((await request('DELETE /admin/tokens/gone', undefined, admin)).status).toBe(204)
  await expect(stream.text()).rejects.toThrow()
  const seen = await request('GET /get/a', undefined, bearer(token))
  expect((seen.json as { error: string }).error).toMatch(/^WRONGPASS Invalid auth token: revoked /)
  await expect.poll(() => server.host.service('shop').clients.size).toBe(0)
})

test('a quota that is used up is 429, and when to try again', async () => {
  const world = await start()
  const { request } = world
  const token = bearer(await tokenFor(world, { cache: 'shop', operations: 1 }))
  const refusal = async (line: string): Promise<Seen> => {
    for (;;) {
      const seen = await request(line, undefined, token)
      if (seen.status === 429) return seen
    }
  }
  const refused = await refusal('GET /cache/shop?key=a')
  expect(refused.json).toMatchObject({ code: 'LIMIT', title: 'Too Many Requests' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  const rest = await refusal('GET /get/a')
  expect((rest.json as { error: string }).error).toMatch(/^LIMIT /)
  expect(Number(rest.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('without tokens pages of the web are kept out, and names that are not of this machine', async () => {
  const { request, port, redis } = await startHttp()
  const head = async (line: string, host: string, more = ''): Promise<string> =>
    (await exchangeBytes(port, `${line} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`)).slice(9, 12)
  for (const host of ['127.0.0.1:8379', 'localhost', '[::1]:8379', 'millpond:8379', 'a.localhost']) {
    expect(await head('GET /get/a', host), host).toBe('200')
  }
  for (const host of ['evil.example', '127.0.0.1.evil.example:80', '']) {
    expect(await head('GET /get/a', host), host).toBe(host === '' ? '200' : '403')
  }
  expect(await head('POST /flushall', 'localhost', 'Origin: https://evil.example\r\n')).toBe('403')
  expect(await head('GET /flushall', 'localhost', 'Sec-Fetch-Site: cross-site\r\n')).toBe('403')
  const preflight = await request('OPTIONS /get/a')
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([405, null])
  expect(await redis('dbsize')).toBe(0)
})

test('where nobody needs a token a cache is reached by its name', async () => {
  const { request }: HttpWorld = await startHttp()
  await request('POST /admin/caches', JSON.stringify({ name: 'shop' }))
  expect((await request('PUT /cache/shop?key=a', 'x')).status).toBe(204)
  expect((await request('GET /cache/shop?key=a')).text).toBe('x')
  expect((await request('GET /cache/default?key=a')).status).toBe(404)
})
