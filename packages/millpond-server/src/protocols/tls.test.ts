import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { createAuthority } from '../../../../tools/servers/certificates.ts'
import { Configuration } from '../commands/configuration/configuration.ts'
import { type RunningServer, startServer } from '../server.ts'

const authority = createAuthority()

function writeCertificate(folder: string): void {
  const { cert, key } = authority.issue('millpond')
  writeFileSync(join(folder, 'used.key'), key)
  writeFileSync(join(folder, 'used.crt'), cert)
}

async function withTls(run: (server: RunningServer, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-tls-'))
  writeCertificate(folder)
  const configuration = new Configuration()
  configuration.set([
    ['port', '0'],
    ['tls-cert-file', join(folder, 'used.crt')],
    ['tls-key-file', join(folder, 'used.key')],
    ['tls-auth-clients', 'no'],
  ])
  const server = await startServer({ configuration, ports: { 'tls-port': 0 }, capacity: 16 * 2 ** 20 })
  try {
    await run(server, folder)
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

async function connect(server: RunningServer): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port: server.ports['tls-port'], host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: tls.TLSSocket, words: string, end = '\r\n'): Promise<string> {
  socket.write(words)
  let text = ''
  while (!text.endsWith(end)) text += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  return text
}

test('by TLS: pipelines and values of megabytes come back whole', async () => {
  await withTls(async (server) => {
    const socket = await connect(server)
    const value = 'v'.repeat(3_000_000)
    const words = `SET a 1\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${value.length}\r\n${value}\r\nGET b\r\nGET a\r\n`
    expect(await ask(socket, words, '$1\r\n1\r\n')).toBe(`+OK\r\n+OK\r\n$${value.length}\r\n${value}\r\n$1\r\n1\r\n`)
    socket.destroy()
  })
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: however a connection ends, nothing of it stays', async (version) => {
  await withTls(async (server) => {
    const { host } = server
    const options = { port: server.ports['tls-port'], host: '127.0.0.1', rejectUnauthorized: false }
    const open = async (): Promise<tls.TLSSocket> => {
      const socket = tls.connect({ ...options, minVersion: version, maxVersion: version })
      socket.on('error', () => {})
      // Before the handshake is over: it comes with its last bytes.
      expect(await ask(socket, 'PING\r\n')).toBe('+PONG\r\n')
      return socket
    }
    const [ended, destroyed, quits] = [await open(), await open(), await open()]
    const raw = net.connect(options)
    const broken = tls.connect({ socket: raw, rejectUnauthorized: false, maxVersion: version })
    broken.on('error', () => {})
    await once(broken, 'secureConnect')
    expect(await ask(broken, 'PING\r\n')).toBe('+PONG\r\n')
    expect(host.clientCount).toBe(4)
    ended.end()
    destroyed.destroy()
    quits.write('QUIT\r\n')
    await once(quits, 'end')
    const reset = net.connect(options)
    const lost = tls.connect({ socket: reset, rejectUnauthorized: false, maxVersion: version })
    lost.on('error', () => {})
    await once(lost, 'secureConnect')
    reset.resetAndDestroy()
    // No record of TLS at all.
    raw.write('nonsense that nobody has sealed\r\n')
    await expect.poll(() => host.clientCount, { timeout: 10_000 }).toBe(0)
    const killed = await open()
    killed.write('CLIENT KILL TYPE normal SKIPME no\r\n')
    if (!killed.readableEnded) await once(killed.resume(), 'end')
    await expect.poll(() => host.clientCount, { timeout: 10_000 }).toBe(0)
    const last = await open()
    const end = once(last.resume(), 'end')
    await server.close()
    await end
  })
})

test('a new certificate is used without a restart; one that is no pair with its key is not', {
  timeout: 60_000,
}, async () => {
  await withTls(async (server, folder) => {
    const first = await connect(server)
    const before = first.getPeerCertificate().fingerprint256
    const faults: string[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text) => faults.push(String(text)) > 0
    try {
      writeFileSync(join(folder, 'used.crt'), 'nonsense')
      await expect.poll(() => faults.join(''), { timeout: 20_000 }).toContain('cannot be used')
    } finally {
      process.stderr.write = write
    }
    const meanwhile = await connect(server)
    expect(meanwhile.getPeerCertificate().fingerprint256).toBe(before)
    writeCertificate(folder)
    const fingerprint = async (): Promise<string> => {
      const socket = await connect(server)
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.destroy()
      return fingerprint256
    }
    await expect.poll(fingerprint, { timeout: 20_000 }).not.toBe(before)
    expect(await ask(first, 'PING\r\n')).toBe('+PONG\r\n')
    first.destroy()
    meanwhile.destroy()
  })
})

test('TLS without files says what is missing', async () => {
  const configuration = new Configuration()
  configuration.set([['port', '0']])
  await expect(startServer({ configuration, ports: { 'tls-port': 0 } })).rejects.toThrow('tls-cert-file')
})
