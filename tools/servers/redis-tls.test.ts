import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuthority } from './certificates.ts'
import { redisPrograms } from './redis.ts'
import { startTlsRedis } from './redis-tls.ts'
import { ask } from './resp.ts'

test('an authority signs certificates for loopback, valid now', () => {
  const authority = createAuthority()
  const issuer = new X509Certificate(authority.cert)
  const issued = authority.issue('mill')
  const certificate = new X509Certificate(issued.cert)
  expect(issuer.ca).toBe(true)
  expect(certificate.verify(issuer.publicKey)).toBe(true)
  expect(certificate.subject).toBe('CN=mill')
  expect([certificate.checkIP('127.0.0.1'), certificate.checkHost('localhost')]).toEqual(['127.0.0.1', 'localhost'])
  expect(certificate.checkHost('example.org')).toBeUndefined()
  const [from, to] = [certificate.validFrom, certificate.validTo].map((text) => Date.parse(text))
  expect([from! < Date.now(), to! > Date.now()]).toEqual([true, true])
  expect(new X509Certificate(createAuthority().cert).verify(issuer.publicKey)).toBe(false)
})

describe.each(redisPrograms())('%s over TLS', (program) => {
  test('answers who trusts its authority and shows a certificate of it', async () => {
    await using server = await startTlsRedis({ program, password: 'pond' })
    expect(await server.command('PING')).toBe('PONG')
    expect(server.url).toBe(`rediss://:pond@127.0.0.1:${server.port}`)
    const { ca } = server.client
    await expect(ask({ port: server.port, tls: { ca } }, 'PING')).rejects.toThrow(/certificate|ECONNRESET|closed/)
    const stranger = { ...createAuthority().issue('stranger'), ca }
    await expect(ask({ port: server.port, tls: stranger }, 'PING')).rejects.toThrow(/alert|ECONNRESET|closed/)
    await expect(ask({ port: server.port, tls: {} }, 'PING')).rejects.toThrow(/certificate|self.signed/)
  })

  test('does without a certificate of the client where it is told so', async () => {
    await using server = await startTlsRedis({ program, authClients: false })
    expect(await ask({ port: server.port, tls: { ca: server.client.ca } }, 'PING')).toBe('PONG')
  })
})
