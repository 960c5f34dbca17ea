/** Backups in a bucket, of s3rver, which speaks the protocol of S3 and knows keys, but does not check signatures; and what failures do. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AwsClient } from 'aws4fetch'
import S3rver from 's3rver'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { TestService } from '../commands/testing.ts'
import { digestOf } from '../engine/digest.ts'
import { backUp, listBackups, removeBackup } from './backup.ts'
import { locate } from './location.ts'
import { restore } from './restore.ts'
import { S3Vault } from './s3-vault.ts'
import type { Vault } from './vault.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'millpond-s3-'))
const ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' }
let storage: S3rver
let endpoint = ''

beforeAll(async () => {
  const options = {
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'bucket' }],
  }
  storage = new S3rver(options)
  const { port } = await storage.run()
  endpoint = `http://127.0.0.1:${port}`
})
afterAll(async () => {
  await storage.close()
  rmSync(folder, { recursive: true, force: true })
})

function vaultAt(place: string, environment = ENVIRONMENT, at = endpoint): Vault {
  return locate(`s3://${place}?endpoint=${encodeURIComponent(at)}`, environment).vault
}

/** Of so many bytes that it has several parts. */
function filled(megabytes: number): TestService {
  const service = new TestService()
  const client = service.client()
  // Bytes that cannot be compressed, so that nobody makes them fewer.
  const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, at) => (at * 2654435761) >>> 24))
  for (let at = 0; at < megabytes * 16; at++) client.run('set', `key ${at}`, bytes)
  return service
}

test('in parts and in one, listed, read back equal, removed', async () => {
  const vault = vaultAt('bucket/a folder/b+c')
  const large = filled(20)
  const small = filled(1)
  const first = await backUp(large, vault)
  small.time.pass(1000)
  const second = await backUp(small, vault)
  expect(first.bytes).toBeGreaterThan(20 * 2 ** 20)
  expect((await listBackups(vault, 'default')).map(({ name }) => name)).toEqual([first.name, second.name])
  expect(await vaultAt('bucket/elsewhere').list()).toEqual([])
  for (const [service, { name, keys }] of [
    [large, first],
    [small, second],
  ] as const) {
    const other = new TestService()
    expect(await restore(other, vault, name)).toMatchObject({ keys })
    expect(digestOf(other.databases)).toBe(digestOf(service.databases))
  }
  await removeBackup(vault, first.name)
  expect((await vault.list()).toSorted()).toEqual([second.name, `${second.name}.json`])
  await expect(restore(new TestService(), vault, first.name)).rejects.toMatchObject({ fault: 'missing' })
}, 60_000)

test('a wrong key, no such bucket, nobody there: told in words, and the cache goes on', async () => {
  const service = filled(1)
  const wrong = vaultAt('bucket', { ...ENVIRONMENT, AWS_ACCESS_KEY_ID: 'wrong' })
  await expect(backUp(service, wrong)).rejects.toThrow(
    /^s3:\/\/bucket\/default-.*the storage answers 403 InvalidAccessKeyId/,
  )
  await expect(backUp(service, vaultAt('none'))).rejects.toThrow(/the storage answers 404 NoSuchBucket/)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const nobody = vaultAt('bucket', ENVIRONMENT, `http://127.0.0.1:${port}`)
  await expect(backUp(service, nobody)).rejects.toThrow(/the storage does not answer: .*ECONNREFUSED/)
  expect(service.client().say('dbsize')).toBe(16)
})

test('an upload that is torn in the middle leaves no backup', async () => {
  let parts = 0
  const torn = proxy((request) => request.method === 'PUT' && /partNumber/.test(request.url!) && ++parts === 2)
  await once(torn, 'listening')
  const { port } = torn.address() as AddressInfo
  const vault = vaultAt('bucket/torn', ENVIRONMENT, `http://127.0.0.1:${port}`)
  await expect(backUp(filled(20), vault)).rejects.toMatchObject({ fault: 'storage' })
  expect(await vaultAt('bucket/torn').list()).toEqual([])
  torn.closeAllConnections()
  torn.close()
}, 60_000)

test('a file may take its time as long as something comes; when nothing does, that is told', async () => {
  vi.useFakeTimers()
  try {
    let source!: ReadableStreamDefaultController<Uint8Array>
    const fetch = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<Response> => {
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (source = controller) })
      signal.addEventListener('abort', () => source.error(signal.reason))
      return new Response(body)
    }
    const place = { bucket: 'bucket', prefix: '', endpoint: 'http://storage', pathStyle: true }
    const pieces = new S3Vault(place, { fetch } as unknown as AwsClient).read('a.rdb')[Symbol.asyncIterator]()
    for (let at = 0; at < 5; at++) {
      const piece = pieces.next()
      await vi.advanceTimersByTimeAsync(50_000)
      source.enqueue(Uint8Array.of(at))
      expect(await piece).toEqual({ done: false, value: Uint8Array.of(at) })
      // Who takes it is slow.
      await vi.advanceTimersByTimeAsync(100_000)
    }
    const refused = expect(pieces.next()).rejects.toThrow(/^s3:\/\/bucket\/a.rdb: nothing has come for 60 s$/)
    await vi.advanceTimersByTimeAsync(60_000)
    await refused
  } finally {
    vi.useRealTimers()
  }
})

/** Hands requests on, and hangs up on some. The signature is of the address that the client knows: the header goes on as it came. */
function proxy(tears: (request: IncomingMessage) => boolean): Server {
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (tears(request)) return void request.socket.destroy()
    const body: Buffer[] = []
    for await (const piece of request) body.push(piece as Buffer)
    const { hostname, port } = new URL(endpoint)
    const onward = ask({ hostname, port, method: request.method, path: request.url, headers: request.headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    onward.end(Buffer.concat(body))
  }
  return createServer((request, response) => void pass(request, response)).listen(0, '127.0.0.1')
}
