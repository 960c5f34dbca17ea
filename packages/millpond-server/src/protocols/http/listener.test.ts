import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type tls from 'node:tls'
import { expect, test } from 'vitest'
import { createAuthority } from '../../../../../tools/servers/certificates.ts'
import { exchangeBytes, startHttp } from './http.fixture.ts'
import { HttpListener } from './listener.ts'

test('a request has a bound, whether or not it says how long it is', async () => {
  const { request, port, redis } = await startHttp([['proto-max-bulk-len', '1mb']])
  const body = Buffer.alloc(2 ** 20 + 1)
  const declared = await request('PUT /cache/default?key=a', body)
  expect(declared).toMatchObject({ status: 413, json: { code: 'TOOLARGE' } })
  expect((await request('POST /set/a', body)).json).toMatchObject({ error: expect.stringContaining('TOOLARGE') })
  const head = 'PUT /cache/default?key=a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  const chunk = `${(2 ** 19).toString(16)}\r\n${'x'.repeat(2 ** 19)}\r\n`
  expect(await exchangeBytes(port, head + chunk.repeat(3))).toMatch(/^HTTP\/1\.1 413[\s\S]*Connection: close/)
  expect((await request('PUT /cache/default?key=a', body.subarray(1))).status).toBe(204)
  expect(await redis('strlen', 'a')).toBe(2 ** 20)
})

test.each([
  ['nonsense\r\n\r\n', 400],
  [`GET /get/a HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  [`GET /get/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['GET /get/a HTTP/1.1\r\n\r\n', 400],
  ['POST /set/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
])('what is no request is answered, and hung up on: %#', async (bytes, status) => {
  const { port } = await startHttp()
  expect((await exchangeBytes(port, bytes)).slice(9, 12)).toBe(String(status))
})

test('who sends a head or a body drop by drop is cut off', async () => {
  const { server } = await startHttp()
  const limits = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 }
  const listener = new HttpListener(server.host, undefined, limits)
  const port = await listener.listen({ host: '127.0.0.1', port: 0 })
  expect(await exchangeBytes(port, 'GET /get/a HTTP/1.1\r\nX: ')).toMatch(/^HTTP\/1\.1 408 /)
  const head = 'PUT /cache/default?key=a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'
  expect(await exchangeBytes(port, head)).toMatch(/^(HTTP\/1\.1 408 |$)/)
  await listener.close()
})

test('maxclients is of all protocols: one too many is told so', async () => {
  const { server, port } = await startHttp()
  const first = net.connect({ port: server.port, host: '127.0.0.1' })
  await once(first, 'connect')
  await expect.poll(() => server.host.clientCount).toBe(1)
  server.service.configuration.set([['maxclients', '1']])
  expect(await exchangeBytes(port, '')).toMatch(/^HTTP\/1\.1 503 /)
  first.destroy()
  await expect.poll(() => server.host.clientCount).toBe(0)
  expect(await exchangeBytes(port, 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 200 /,
  )
})

test('clients are known while they are connected, and ended by CLIENT KILL', async () => {
  const { server, port, redis } = await startHttp()
  const socket = net.connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  const address = `127.0.0.1:${socket.localPort}`
  expect(String(await redis('client', 'list'))).toContain(`addr=${address} laddr=127.0.0.1:${port}`)
  const closed = once(socket, 'close')
  await redis('client', 'kill', address)
  await closed
  await expect.poll(() => server.service.clients.size).toBe(0)
})

test('by TLS, with the certificates of the server', async () => {
  const { server, folder, ca } = await startWithTls()
  const options = { port: server.ports['http-tls-port'], host: '127.0.0.1', ca, agent: false as const }
  expect(await bodyOf(https.get({ ...options, path: '/set/a/x' }))).toBe('{"result":"OK"}')
  expect(await bodyOf(https.get({ ...options, path: '/cache/default?key=a' }))).toBe('x')
  // Who speaks no TLS there is not answered.
  expect(await exchangeBytes(options.port, 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')).not.toContain('PONG')
  rmSync(folder, { recursive: true })
})

test('a new certificate is used without a restart, and a connection that is there goes on', async () => {
  const { server, folder, ca, certify } = await startWithTls()
  const options = { port: server.ports['http-tls-port'], host: '127.0.0.1', ca, path: '/ping' }
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  const first = await fingerprintOf(https.get({ ...options, agent }))
  certify()
  server.reload()
  expect(await fingerprintOf(https.get({ ...options, agent: false }))).not.toBe(first)
  // The same connection, with the certificate that it began with.
  expect(await fingerprintOf(https.get({ ...options, agent }))).toBe(first)
  writeFileSync(join(folder, 'cert'), 'nonsense')
  expect(() => server.reload()).toThrow('cannot be used')
  expect(await fingerprintOf(https.get({ ...options, agent: false }))).not.toBe(first)
  agent.destroy()
  rmSync(folder, { recursive: true })
})

/** A server with a certificate in a folder of its own; `certify` puts another one there. */
async function startWithTls() {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-http-'))
  const authority = createAuthority()
  const certify = (): void => {
    const { cert, key } = authority.issue('millpond')
    writeFileSync(join(folder, 'key'), key)
    writeFileSync(join(folder, 'cert'), cert)
  }
  certify()
  const settings = [
    ['tls-cert-file', join(folder, 'cert')],
    ['tls-key-file', join(folder, 'key')],
    ['tls-auth-clients', 'no'],
  ] as const
  const { server } = await startHttp(settings, { ports: { port: 0, 'http-tls-port': 0 } })
  return { server, folder, ca: authority.cert, certify }
}

/** Of the certificate that an answer came with. */
async function fingerprintOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const { fingerprint256 } = (response.socket as tls.TLSSocket).getPeerCertificate()
  response.resume()
  await once(response, 'end')
  return fingerprint256
}

test('on a Unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-http-'))
  const socketPath = join(folder, 'http.sock')
  const { redis } = await startHttp([['http-unixsocket', socketPath]])
  expect(await bodyOf(http.get({ socketPath, path: '/set/a/x', agent: false }))).toBe('{"result":"OK"}')
  expect(await redis('get', 'a')).toBe('x')
  rmSync(folder, { recursive: true })
})

async function bodyOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += String(part)
  return text
}

test('answers wait until the log is safe, and say so when it is not', async () => {
  const { request, server } = await startHttp()
  const settled: ((fault?: never) => void)[] = []
  const log = {
    settled: false,
    append() {},
    appendGroup() {},
    whenSettled: (run: () => void) => void settled.push(run),
  }
  server.service.logs.log = log as never
  let isAnswered = false
  const answer = request('GET /set/a/x').then((seen) => {
    isAnswered = true
    return seen
  })
  await expect.poll(() => settled.length).toBe(1)
  expect(isAnswered).toBe(false)
  settled[0]!()
  expect((await answer).json).toEqual({ result: 'OK' })
  const failing = request('PUT /cache/default?key=a', 'x')
  await expect.poll(() => settled.length).toBe(2)
  const { ReplyError } = await import('../../engine/errors.ts')
  settled[1]!(new ReplyError('the disk is full', 'MISCONF') as never)
  expect(await failing).toMatchObject({ status: 503, json: { code: 'MISCONF', detail: 'the disk is full' } })
  server.service.logs.log = undefined
})

test('a body that is coming is memory of its client: maxmemory-clients ends who takes too much', async () => {
  const { server, port } = await startHttp([['maxmemory-clients', '1mb']])
  const head = 'PUT /cache/default?key=a HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n'
  expect(await exchangeBytes(port, head + 'x'.repeat(3 * 2 ** 20))).toBe('')
  expect(server.service.statistics.clientsEvicted).toBe(1)
  await expect.poll(() => server.host.clientCount).toBe(0)
})

test('who does not read its events is cut off at the limit of subscribers', async () => {
  const { server, port } = await startHttp([['client-output-buffer-limit', 'pubsub 1mb 0 0']])
  const socket = net.connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write('GET /subscribe/news HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  const { channels } = server.service
  const publish = (): number => {
    for (let count = 0; count < 20; count++) channels.publish('channel', 'news', 'm'.repeat(100_000))
    return server.host.clientCount
  }
  await expect.poll(publish, { timeout: 10_000, interval: 5 }).toBe(0)
  socket.destroy()
})
