import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Span } from '../engine/span.ts'
import { EngineTime } from '../engine/time.ts'
import { CommandTable } from './command-table.ts'
import { Configuration } from './configuration/configuration.ts'
import { Host } from './host.ts'
import { COMMANDS } from './table.ts'
import { TestClient } from './testing.ts'

/** Named caches let nobody in by themselves. */
const OPEN = ['on', 'nopass', '~*', '&*', '+@all']

function makeHost(folder?: string): Host {
  const configuration = new Configuration()
  if (folder !== undefined) configuration.set([['dir', folder]])
  return new Host({ time: new EngineTime(), commands: new CommandTable(COMMANDS), bytesMax: 2 ** 20, configuration })
}

/** Calls with a host that keeps what it knows in a folder, which is gone afterwards. */
async function withKept(work: (host: Host, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-host-'))
  const host = makeHost(folder)
  try {
    await work(host, folder)
  } finally {
    await host.stop()
    rmSync(folder, { recursive: true })
  }
}

test('caches are apart: keys, channels, statistics', async () => {
  const host = makeHost()
  const shop = await host.create('shop')
  shop.accessControl.set('default', OPEN)
  try {
    const client = new TestClient(host.home)
    const buyer = new TestClient(host.home)
    buyer.enter(shop)
    expect([client.run('SET', 'a', 'home'), buyer.run('SET', 'a', 'shop')]).toEqual(['OK', 'OK'])
    expect([client.run('GET', 'a'), buyer.run('GET', 'a')]).toEqual(['home', 'shop'])
    buyer.run('SUBSCRIBE', 'news')
    expect(client.run('PUBLISH', 'news', 'x')).toBe(0)
    expect([host.home.clients.has(buyer.id), shop.clients.has(buyer.id)]).toEqual([false, true])
    expect(host.clientCount).toBe(2)
  } finally {
    await host.stop()
  }
})

test('who goes to another cache leaves what it held behind, and cannot inside a transaction', async () => {
  const host = makeHost()
  const shop = await host.create('shop')
  shop.accessControl.set('default', OPEN)
  try {
    const client = new TestClient(host.home)
    client.run('SUBSCRIBE', 'news')
    client.run('WATCH', 'a')
    client.enter(shop)
    expect(host.home.channels.publish('channel', 'news', 'x')).toBe(0)
    client.run('MULTI')
    expect(() => client.enter(host.home)).toThrow('transaction')
    client.run('RESET')
    expect(client.service).toBe(host.home)
  } finally {
    await host.stop()
  }
})

test('a cache has a budget, a longest life and a longest item of its own', async () => {
  const host = makeHost()
  try {
    const settings = { maxMemory: 2 ** 19, policy: 'allkeys-lru', maxTtlMs: 5000, itemBytesMax: 100 } as const
    const { cache, databases } = await host.create('small', settings)
    expect([cache.maxMemory, cache.policy]).toEqual([2 ** 19, 'allkeys-lru'])
    const bytes = Buffer.alloc(200)
    expect(() => databases[0]!.setString(Span.of('a'), bytes, 0, 200)).toThrow('maximum allowed size')
    databases[0]!.setString(Span.of('a'), bytes, 0, 10)
    expect(databases[0]!.expiresAtMs(Span.of('a'))).toBeLessThan(Date.now() + 6000)
    expect(() => host.change('small', { maxMemory: 2 ** 40 })).toThrow('at most')
    await expect(host.create('small')).rejects.toThrow('already')
    await host.delete('small')
    expect(() => host.service('small')).toThrow("no cache 'small'")
  } finally {
    await host.stop()
  }
})

test('while a cache is deleted none of its name is made: its files are removed last', () =>
  withKept(async (host, folder) => {
    await host.create('shop', { append: 'always' })
    const deleting = host.delete('shop')
    await expect(host.create('shop')).rejects.toThrow("the cache 'shop' is being deleted; try again")
    await deleting
    await host.create('shop', { append: 'always' })
    expect(existsSync(join(folder, 'millpond', 'caches', 'shop'))).toBe(true)
  }))

test('a cache that is being made can be described', () =>
  withKept(async (host) => {
    const making = host.create('shop', { append: 'always' })
    expect(host.record('shop')).toMatchObject({ name: 'shop', settings: { append: 'always' } })
    await making
  }))

test('what cannot be kept is not done: caches stay as they are', () =>
  withKept(async (host, folder) => {
    const { cache } = await host.create('shop', { maxMemory: 2 ** 19 })
    const file = join(folder, 'millpond', 'caches.json')
    const before = readFileSync(file, 'utf8')
    const beside = `${file}.new`
    mkdirSync(beside)
    const refused = expect.objectContaining({ code: 'MISCONF' }) as Error
    expect(() => host.change('shop', { maxMemory: 2 ** 18 })).toThrow(refused)
    await expect(host.create('bank')).rejects.toThrow(refused)
    await expect(host.delete('shop')).rejects.toThrow(refused)
    expect([cache.maxMemory, host.service('shop').cache === cache, host.services.has('bank')]).toEqual([
      2 ** 19,
      true,
      false,
    ])
    rmSync(beside, { recursive: true })
    expect(readFileSync(file, 'utf8')).toBe(before)
    host.change('shop', { maxMemory: 2 ** 18 })
    expect(cache.maxMemory).toBe(2 ** 18)
  }))
