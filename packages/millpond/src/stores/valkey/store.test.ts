/** What the store sends to a server, what it leaves there, and how it takes what others have left. */
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { OptionError, StoreError } from '../../core/errors.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { recognise, type ValkeyClient } from './client.ts'
import { singles } from './clients.fixture.ts'
import { connectionOver } from './connection.ts'
import { valkeyStore } from './index.ts'
import { RENEW, run } from './scripts.ts'

const record: StoreRecord = { value: '{"id":17}', freshMs: 60_000, keepMs: 60_000, tags: [['red', 'v1']] }
const ends: (() => unknown)[] = []
let server: RedisServer
let client: ValkeyClient
let store: Store

beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
  ends.push(() => server.destroy())
  client = await singles.ioredis!(server, (end) => ends.push(end))
  // Renews no version by chance, and does not ask for the time again because it has passed.
  store = valkeyStore(client, { random: () => 1, clock: manualClock() })
})
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})
beforeEach(async () => {
  await server.command('FLUSHALL')
})

/** How often each command reached the server while `run` went, by INFO commandstats. */
async function commandsOf(run: () => Promise<unknown>): Promise<Record<string, number>> {
  await server.command('CONFIG', 'RESETSTAT')
  await run()
  const stats = String(await server.command('INFO', 'commandstats'))
  const counts = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, calls]) => [name!, Number(calls)])
  return Object.fromEntries(counts.filter(([name]) => !/^(config|info|hello|client|command|auth)/.test(`${name}`)))
}

const markOf = async (key: string) => (await store.read([key], [])).entries[0]!.mark

describe('commands', () => {
  beforeEach(() => store.read(['a'], ['red'])) // the time, the tag and the scripts are known
  beforeEach(async () => {
    await store.invalidate(['warm'], 1000, false)
    await store.fill('warm', record, await markOf('warm'))
  })

  test.each<[string, Record<string, number>, () => Promise<unknown>]>([
    ['a hit, with its tags', { mget: 1 }, () => store.read(['warm'], ['red'])],
    ['a hundred reads at once', { mget: 1 }, () => store.read(Array.from({ length: 100 }, (_, at) => `${at}`), [])],
    ['more than 512 names', { mget: 2 }, () => store.read(Array.from({ length: 600 }, (_, at) => `${at}`), [])],
    ['a miss: read and fill', { mget: 1, set: 1 }, async () => store.fill('new', record, await markOf('new'))],
    ['a delete', { set: 1 }, () => store.invalidate(['warm'], 1000, false)],
    ['a tag', { set: 1 }, () => store.bump(['red'], undefined)],
    ['a renewal', { mget: 1, evalsha: 1, getrange: 1, pttl: 1, set: 1 }, async () => store.fill('warm', record, await markOf('warm'))],
    ['a new tag', { mget: 1, set: 1 }, () => store.read([], ['blue'])],
    ['nothing', {}, () => store.read([], [])],
  ])('%s', async (_, expected, run) => expect(await commandsOf(run)).toEqual(expected)) // biome-ignore format: one line
})

describe('what is stored', () => {
  test('an entry is readable, begins with its form, and ends with its value', async () => {
    await store.read(['shop:17'], ['shop#red'])
    await store.fill('shop:17', record, '')
    const text = String(await server.command('GET', 'shop:17'))
    expect(text).toMatch(/^1r[\w-]{16}\[\d{13},\d{13},\[\["red","v1"\]\],null\]\n\{"id":17\}$/)
    expect(await server.command('GET', '#shop#red')).toMatch(/^[\w-]{16}$/)
    expect(Number(await server.command('PTTL', 'shop:17'))).toBeGreaterThan(59_000)
    expect(Number(await server.command('PTTL', '#shop#red'))).toBeGreaterThan(29 * 86_400_000)
  })

  test('tombstones, held tags and leases end by themselves', async () => {
    await store.invalidate(['a'], 5000, true)
    await store.bump(['t'], 5000)
    await store.lease('a', 'holder', 5000)
    for (const key of ['a', '#t', '@a']) expect(Number(await server.command('PTTL', key)), key).toBeGreaterThan(4000)
    expect(await server.command('GET', 'a')).toMatch(/^1h[\w-]{16}$/)
    expect(await server.command('GET', '#t')).toMatch(/^!/)
  })

  test('a prefix stands before every key, and a tag may be kept for less', async () => {
    const other = valkeyStore(client, { prefix: 'app:', versionTtl: '1m' })
    await other.read([], ['t'])
    await other.invalidate(['a'], 5000, false)
    await other.lease('a', 'holder', 5000)
    expect(((await server.command('KEYS', '*')) as string[]).toSorted()).toEqual(['app:#t', 'app:@a', 'app:a'])
    expect(Number(await server.command('PTTL', 'app:#t'))).toBeLessThanOrEqual(60_000)
  })

  test('what is for ever has no end, also where it replaces', async () => {
    const forever = { ...record, freshMs: Number.POSITIVE_INFINITY, keepMs: Number.POSITIVE_INFINITY }
    await store.fill('new', forever, await markOf('new'))
    await store.invalidate(['old'], 5000, false)
    await store.fill('old', forever, await markOf('old'))
    for (const key of ['new', 'old']) expect(await server.command('PTTL', key)).toBe(-1)
  })
})

describe('versions in use', () => {
  const lucky = () => valkeyStore(client, { random: () => 0, versionTtl: '1h' })

  test('live on by some of the reads', async () => {
    const { versions } = await store.read([], ['t'])
    await server.command('PEXPIRE', '#t', 1000)
    expect((await lucky().read([], ['t'])).versions).toEqual(versions)
    await expect.poll(() => server.command('PTTL', '#t')).toBeGreaterThan(3_500_000)
  })

  test('that are held end when their writer said', async () => {
    await store.bump(['t'], 2000)
    await lucky().read([], ['t'])
    await lucky().read([], ['t', 'other']) // behind it on the same connection
    expect(Number(await server.command('PTTL', '#t'))).toBeLessThanOrEqual(2000)
  })

  test('that were changed meanwhile are left alone', async () => {
    const { versions } = await store.read([], ['t'])
    await store.bump(['t'], 2000)
    expect(await run(connectionOver(recognise(client, 'client')), RENEW, '#t', [versions[0]!, '60000'])).toBe(false)
    expect(Number(await server.command('PTTL', '#t'))).toBeLessThanOrEqual(2000)
  })
})

describe('what others have left', () => {
  test.each(['', 'hello', '{"id":17}', 'é'.repeat(40), '2z0123456789abcdef of a later form'])('%j is a miss that can be filled', async (text) => {
    await server.command('SET', 'a', text)
    const [read] = (await store.read(['a'], [])).entries
    expect(read).toEqual({ mark: expect.stringMatching(/.+/) })
    expect(await store.fill('a', record, read!.mark)).toBe(true)
    expect((await store.read(['a'], [])).entries[0]!.record!.value).toBe(record.value)
  }) // biome-ignore format: one line

  test.each(['hello', '2z0123456789abcdef of a later form'])('%j is not filled once it was invalidated', async (text) => {
    await server.command('SET', 'a', text)
    const mark = await markOf('a')
    await store.invalidate(['a'], 5000, false)
    expect(await store.fill('a', record, mark)).toBe(false)
  }) // biome-ignore format: one line

  test('a mark that was evicted or replaced is not filled on', async () => {
    const [mark] = await store.invalidate(['a'], 5000, false)
    await server.command('DEL', 'a')
    expect(await store.fill('a', record, mark!)).toBe(false)
    await server.command('SET', 'a', 'hello')
    expect(await store.fill('a', record, mark!)).toBe(false)
  })

  test('what is no string is a miss that is not filled, until it is invalidated', async () => {
    await server.command('HSET', 'a', 'field', 'value')
    expect(await store.fill('a', record, await markOf('a'))).toBe(false)
    await store.invalidate(['a'], 5000, false)
    expect(await store.fill('a', record, await markOf('a'))).toBe(true)
  })

  test('a tag that is no string has a version under which nothing is found', async () => {
    await server.command('HSET', '#red', 'field', 'value')
    const [first, second] = [await store.read([], ['red']), await store.read([], ['red'])]
    expect(first.versions).not.toEqual(second.versions)
  })

  test('scripts that the server forgot are sent again', async () => {
    await store.invalidate(['a'], 5000, false)
    await server.command('SCRIPT', 'FLUSH')
    expect(await store.fill('a', record, await markOf('a'))).toBe(true)
    expect(await commandsOf(async () => store.fill('a', record, await markOf('a')))).not.toHaveProperty('eval')
  })
})

test('a client of node-redis that gives Buffers is asked for texts', async () => {
  const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const buffers = createClient({ url: server.url, commandOptions })
  await buffers.on('error', () => undefined).connect()
  ends.push(() => buffers.destroy())
  const [mark] = await store.invalidate(['a'], 5000, false)
  expect((await valkeyStore(buffers).read(['a'], [])).entries[0]!.mark).toBe(mark)
})

test('after a connection broke, the servers are asked for their time again', async () => {
  await store.read(['a'], [])
  const asked = await commandsOf(async () => {
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await expect.poll(() => store.read(['a'], []).catch(() => undefined)).toBeDefined()
    await store.read(['a'], [])
  })
  expect(asked.time).toBeGreaterThan(0)
})

describe('a server that is full', () => {
  beforeEach(async () => {
    await store.fill('a', record, await markOf('a'))
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
  })
  beforeEach(() => () => server.command('CONFIG', 'SET', 'maxmemory', '0'))

  test('is read, and refuses fills without being called ill', async () => {
    const { entries } = await store.read(['a', 'b'], [])
    expect(entries[0]!.record!.value).toBe(record.value)
    for (const [key, mark] of [
      ['b', ''],
      ['a', entries[0]!.mark],
    ] as const) {
      // biome-ignore format: one line
      const error = await store.fill(key, record, mark).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'ERR_STORE', refused: true, message: expect.stringContaining('OOM') })
    }
  })

  test('is known by what Redis 6.2 says of a script', async () => {
    const full = () => new Error("ERR Error running script (call to f_0): @user_script:9: @user_script: 9: -OOM command not allowed when used memory > 'maxmemory'.") // biome-ignore format: one line
    const call = async (command: string) => (command === 'time' ? ['1', '0'] : Promise.reject(full()))
    const client = { status: 'ready', call, duplicate() {}, on() {}, off() {} } as never as ValkeyClient
    await expect(valkeyStore(client).fill('a', record, 'mark')).rejects.toMatchObject({ refused: true })
  })

  test('deletes what is invalidated, and says that the fence is missing', async () => {
    const error = await store.invalidate(['a'], 5000, false).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_STORE', refused: false, message: expect.stringContaining('OOM') })
    expect(await server.command('EXISTS', 'a')).toBe(0)
    await expect(store.bump(['red'], undefined)).rejects.toThrow(/OOM/)
  })
})

test('an error of the server is the cause of a StoreError', async () => {
  await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
  try {
    const error = await store.invalidate(['a'], 5000, false).catch((thrown: unknown) => thrown as StoreError)
    expect(error).toBeInstanceOf(StoreError)
    expect((error as StoreError).message).toMatch(/^set: NOREPLICAS/)
    expect((error as StoreError).cause).toBeInstanceOf(Error)
  } finally {
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
  }
})

test.each([
  ['name', { name: 7 }],
  ['prefix', { prefix: null }],
  ['versionTtl', { versionTtl: 0 }],
  ['versionTtl', { versionTtl: '5 mins' }],
  ['connectTimeout', { connectTimeout: -1 }],
  ['stallTimeout', { stallTimeout: 0 }],
  ['replicas', { replicas: 'redis://localhost' }],
  ['replicas[0]', { replicas: [{}] }],
])('the option %s is checked', (option, options) => {
  expect(() => valkeyStore('redis://localhost', options as never)).toThrow(OptionError)
  expect(() => valkeyStore('redis://localhost', options as never)).toThrow(new RegExp(`^${option.replace(/[[\]]/g, '\\$&')}: `)) // biome-ignore format: one line
})
