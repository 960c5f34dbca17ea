import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { selfSigned } from './certificate.ts'
import { integer, moment, oid } from './der.ts'

const NOW_MS = Date.now()

test('it is an authority of its own, for its names and addresses', () => {
  const { certificate, key } = selfSigned(['localhost', '127.0.0.1', '::1', 'fd00::1:2', 'cache.example.org'], NOW_MS)
  const read = new X509Certificate(certificate)
  expect(read.verify(read.publicKey)).toBe(true)
  expect(read.ca).toBe(true)
  expect(read.checkIssued(read)).toBe(true)
  expect(read.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD00:0:0:0:0:0:1:2, DNS:cache.example.org') // biome-ignore format: one line
  expect(Date.parse(read.validFrom)).toBeLessThan(NOW_MS)
  expect(Date.parse(read.validTo) - NOW_MS).toBeGreaterThan(824 * 86_400_000)
  expect(key).toContain('BEGIN PRIVATE KEY')
  expect(new X509Certificate(selfSigned(['a'], NOW_MS).certificate).serialNumber).not.toBe(read.serialNumber)
})

test('who trusts it connects by any of its names, and nobody by another', async () => {
  const { certificate, key } = selfSigned(['localhost', '127.0.0.1'], NOW_MS)
  const server = tls.createServer({ cert: certificate, key }, (socket) => socket.end('hello'))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connect = async (options: tls.ConnectionOptions): Promise<string> => {
    const socket = tls.connect({ host: '127.0.0.1', port, ...options })
    try {
      await once(socket, 'secureConnect')
      return 'connected'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code!
    } finally {
      socket.destroy()
    }
  }
  try {
    expect(await connect({ ca: certificate })).toBe('connected')
    expect(await connect({ ca: certificate, servername: 'localhost' })).toBe('connected')
    expect(await connect({ ca: certificate, servername: 'other.example.org' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await connect({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  } finally {
    server.close()
  }
})

test('DER: identifiers, numbers, and moments before and after 2050', () => {
  expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302')
  expect(integer(Buffer.from([0x80])).toString('hex')).toBe('02020080')
  expect(moment(Date.UTC(2026, 0, 2, 3, 4, 5)).toString()).toContain('260102030405Z')
  expect(moment(Date.UTC(2050, 0, 2, 3, 4, 5)).toString()).toContain('20500102030405Z')
})
