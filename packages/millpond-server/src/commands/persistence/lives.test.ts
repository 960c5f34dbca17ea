/** What the rules of a cache about lives are after a restart: a key has the expiry that it had, wherever that came from. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { type TestClient, TestService } from '../testing.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'millpond-lives-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HOUR_MS = 3_600_000

async function open(passedMs: number): Promise<{ service: TestService; client: TestClient }> {
  const service = new TestService()
  service.cache.defaultTtlMs = HOUR_MS
  service.cache.maxTtlMs = 24 * HOUR_MS
  service.time.pass(passedMs)
  service.configuration.set([
    ['dir', folder],
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
  ])
  await service.persistence.start()
  return { service, client: service.client() }
}

async function close({ endings }: TestService): Promise<void> {
  for (const end of endings) await end()
}

const KEYS = ['default', 'given', 'longest', 'expired', 'persisted', 'list', 'script', 'renamed', 'copy', 'restored']

const expiries = (client: TestClient) => KEYS.map((key) => client.run('pexpiretime', key))

test('an expiry by default, or cut to what is allowed, is the same after a restart, and after a reload', async () => {
  const first = await open(0)
  const { client } = first
  client.say('set default value')
  client.say('set given value px 50000')
  client.say('set longest value ex 9999999')
  client.say('set expired value ex 10')
  client.say('expire expired 9999999')
  client.say('set persisted value ex 10')
  client.say('persist persisted')
  client.say('rpush list a b')
  client.say('multi')
  client.say('set script value')
  client.say('append script more')
  client.say('exec')
  client.say('set other value')
  first.service.time.pass(1000)
  client.say('rename other renamed')
  client.say('copy given copy')
  client.run('restore', 'restored', 0, Buffer.from(client.say('dump list') as string, 'latin1'))
  const before = expiries(client)
  const now = first.service.time.nowMs
  expect(before.slice(0, 3)).toEqual([now + HOUR_MS - 1000, now + 49_000, now + 24 * HOUR_MS - 1000])
  expect(before.every((at) => Number(at) > now)).toBe(true)
  await close(first.service)

  const second = await open(20_000)
  expect(expiries(second.client)).toEqual(before)
  second.service.time.pass(10_000)
  second.service.persistence.reload()
  expect(expiries(second.client)).toEqual(before)
  second.client.say('set new value')
  expect(second.client.say('pttl new')).toBe(HOUR_MS)
  await close(second.service)
})
