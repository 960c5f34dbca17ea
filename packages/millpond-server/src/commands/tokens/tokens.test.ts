import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { AuditLog } from '../../security/audit-log.ts'
import { CommandTable } from '../command-table.ts'
import { Configuration } from '../configuration/configuration.ts'
import { Host } from '../host.ts'
import { COMMANDS } from '../table.ts'
import { type Answer, TestClient, TestTime } from '../testing.ts'
import { makeEntrance } from './entrance.ts'

const NOW = 1_700_000_000_000
const hosts: Host[] = []
const folders: string[] = []

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

interface Started {
  readonly host: Host
  readonly time: TestTime
  readonly admin: TestClient
  readonly audited: { readonly action: string; readonly result: string; readonly about: readonly string[] }[]
}

/** A host with the caches 'shop' and 'bank', and an admin in its home cache. */
async function start(folder?: string): Promise<Started> {
  const time = new TestTime(NOW)
  const configuration = new Configuration()
  if (folder) configuration.set([['dir', folder]])
  if (folder) configuration.set([['appendonly', 'yes']])
  const host = new Host({ time, commands: new CommandTable(COMMANDS), bytesMax: 2 ** 22, configuration })
  host.entrance = makeEntrance(host)
  const audited: Started['audited'] = []
  host.audit = new AuditLog(undefined, (line) => void audited.push(JSON.parse(line) as Started['audited'][number]))
  await host.home.persistence.start()
  await host.restore()
  for (const name of ['shop', 'bank']) if (!host.services.has(name)) await host.create(name)
  hosts.push(host)
  return { host, time, admin: new TestClient(host.home), audited }
}

/** An answer that is a map. */
function mapOf(answer: Answer | undefined): Record<string, Answer> {
  const parts = answer as readonly Answer[]
  const map: Record<string, Answer> = {}
  for (let at = 0; at < parts.length; at += 2) map[parts[at] as string] = parts[at + 1]!
  return map
}

function tokenOf(admin: TestClient, line: string): string {
  return mapOf(admin.say(`token create ${line}`)).token as string
}

/** A client that has come in by a secret. */
function enter(host: Host, cache: string, secret: string): TestClient {
  const client = new TestClient(host.home)
  expect(client.run('auth', cache, secret)).toBe('OK')
  return client
}

const noPermission = { error: expect.stringMatching(/^NOPERM /) as string }

describe('coming in', () => {
  test('by a token, into the cache that it is for', async () => {
    const { host, admin } = await start()
    const secret = tokenOf(admin, 'app cache shop')
    const client = enter(host, 'shop', secret)
    expect([client.service, client.say('acl whoami')]).toEqual([host.service('shop'), 'token:app'])
    expect(client.say('set key value')).toBe('OK')
    expect(admin.say('get key')).toBe(null)
    const alone = new TestClient(host.home)
    expect(alone.run('auth', secret)).toBe('OK')
    expect(alone.say('get key')).toBe('value')
    const greeted = new TestClient(host.home)
    expect(greeted.run('hello', 3, 'auth', 'shop', secret)).toContain('server')
    expect(greeted.say('get key')).toBe('value')
    expect(greeted.say('reset')).toBe('RESET')
    expect([greeted.service, greeted.session]).toEqual([host.home, undefined])
  })

  test('a token for all caches opens each', async () => {
    const { host, admin } = await start()
    const secret = tokenOf(admin, 'all cache *')
    for (const cache of ['shop', 'bank', 'default']) {
      expect(enter(host, cache, secret).service).toBe(host.service(cache))
    }
    expect(new TestClient(host.home).run('auth', 'none', secret)).toEqual({
      error: "NOTFOUND there is no cache 'none'",
    })
    const mover = enter(host, 'shop', secret)
    expect(mover.run('auth', 'bank', secret)).toBe('OK')
    expect(mover.service).toBe(host.service('bank'))
    admin.say('token revoke all')
    expect(mover.closed).toBe(true)
  })

  test('what is wrong is said, and no more', async () => {
    const { host, admin, time } = await start()
    const shop = tokenOf(admin, 'app cache shop ex 3600')
    const wrong = (cache: string, secret: string): Answer | undefined =>
      new TestClient(host.home).run('auth', cache, secret)
    expect(wrong('bank', shop)).toEqual({ error: 'WRONGPASS Invalid auth token: it is for another cache' })
    expect(wrong('shop', 'password')).toEqual({
      error: 'WRONGPASS invalid username-password pair or user is disabled.',
    })
    time.pass(3_600_000 + 3 * 3_600_000)
    expect(wrong('shop', shop)).toEqual({ error: 'WRONGPASS Invalid auth token: expired 3 h ago' })
    expect(wrong('default', shop)).toEqual({ error: expect.stringContaining('expired') as string })
    expect(JSON.stringify(admin.say('acl log'))).not.toContain(shop.slice(0, 30))
  })

  test('nobody is in a named cache without one', async () => {
    const { host, admin } = await start()
    const client = enter(host, 'shop', tokenOf(admin, 'app cache shop'))
    host.service('shop').accessControl.welcome(client)
    expect(client.say('get key')).toEqual({ error: 'NOAUTH Authentication required.' })
    expect(client.run('auth', 'default', 'x')).toBe('OK')
    expect(client.service).toBe(host.home)
  })

  test('where everybody may do everything an empty secret names a cache, and nowhere else', async () => {
    const { host, admin } = await start()
    const client = enter(host, 'shop', '')
    expect([client.say('set key value'), client.say('token list')]).toEqual(['OK', noPermission])
    admin.say('config set requirepass secret')
    for (const cache of ['shop', 'default', 'none']) {
      expect(new TestClient(host.home).run('auth', cache, '')).toEqual({
        error: expect.stringMatching(/^WRONGPASS/) as string,
      })
    }
  })

  test('the two access keys of a cache, while one is made anew', async () => {
    const { host, admin } = await start()
    const primary = admin.say('cache accesskey shop primary') as string
    const secondary = admin.say('cache accesskey shop secondary') as string
    const [one, other] = [enter(host, 'shop', primary), enter(host, 'shop', secondary)]
    expect(one.say('acl whoami')).toBe('key:primary')
    const next = admin.say('cache accesskey shop primary') as string
    expect([one.closed, other.closed]).toEqual([true, false])
    expect(new TestClient(host.home).run('auth', 'shop', primary)).toEqual({
      error: expect.stringMatching(/^WRONGPASS/) as string,
    })
    expect(enter(host, 'shop', next).say('ping')).toBe('PONG')
    expect(new TestClient(host.home).run('auth', 'bank', next)).not.toBe('OK')
  })
})

describe('guesses', () => {
  test('are answered later and later, on their connection alone', async () => {
    const { host, admin, time } = await start()
    const secret = tokenOf(admin, 'app cache shop')
    const client = new TestClient(host.home)
    for (let at = 0; at < 3; at++) expect(client.run('auth', 'shop', 'guess')).toBeDefined()
    expect(client.run('auth', 'shop', 'guess')).toBe(undefined)
    enter(host, 'shop', secret)
    time.pass(49)
    expect(client.answer).toBe(undefined)
    time.pass(1)
    expect(client.answer).toEqual({ error: 'WRONGPASS invalid username-password pair or user is disabled.' })
    expect(client.run('hello', 3, 'auth', 'shop', 'guess')).toBe(undefined)
    time.pass(100)
    expect(client.answer).toEqual({ error: expect.stringMatching(/^WRONGPASS/) as string })
    expect(client.run('auth', 'shop', secret)).toBe('OK')
  })

  test('on many connections are not even looked at, but a right token is', async () => {
    const { host, admin } = await start()
    const secret = tokenOf(admin, 'app cache shop')
    admin.run('acl', 'setuser', 'ann', 'on', '>right', '+@all')
    const answers = Array.from({ length: 40 }, () => new TestClient(host.home).run('auth', 'ann', 'guess'))
    const refused = answers.filter((answer) => JSON.stringify(answer)?.includes('too many wrong ones'))
    expect(refused).toHaveLength(40 - 3 - 16)
    expect(new TestClient(host.home).run('auth', 'ann', 'right')).toEqual({
      error: expect.stringContaining('too many wrong ones from this address') as string,
    })
    enter(host, 'shop', secret)
  })

  test('in a transaction are answered at once, and count', async () => {
    const { host } = await start()
    const client = new TestClient(host.home)
    client.say('multi')
    for (let at = 0; at < 30; at++) client.run('auth', 'shop', 'guess')
    const answers = client.say('exec') as readonly { readonly error: string }[]
    expect(answers).toHaveLength(30)
    expect(answers.filter(({ error }) => error.includes('too many'))).toHaveLength(30 - 3 - 16)
  })
})

describe('the end of a token', () => {
  test('at the moment of its expiry its connections may do nothing more', async () => {
    const { host, admin, time } = await start()
    const secret = tokenOf(admin, 'app cache shop ex 60')
    const [idle, waits, listens, queues] = [1, 2, 3, 4].map(() => enter(host, 'shop', secret)) as [
      TestClient,
      TestClient,
      TestClient,
      TestClient,
    ]
    waits.say('blpop list 0')
    listens.say('subscribe news')
    queues.say('multi')
    queues.say('set key value')
    time.pass(59_999)
    expect(idle.say('ping')).toBe('PONG')
    time.pass(1)
    const expired = { error: 'NOAUTH Invalid auth token: it has expired, give another one' }
    expect(idle.say('ping')).toEqual(expired)
    expect(waits.answer).toEqual(expired)
    expect(listens.closed).toBe(true)
    expect(queues.say('exec')).toEqual({ error: expect.stringContaining('NOAUTH') as string })
    expect(host.service('shop').databases[0]!.size).toBe(0)
    expect(idle.run('auth', 'shop', tokenOf(admin, 'next cache shop'))).toBe('OK')
    expect(idle.say('ping')).toBe('PONG')
  })

  test('a disposable one ends too, though no list has it', async () => {
    const { host, admin, time } = await start()
    expect(admin.say('token create one cache shop disposable')).toEqual({
      error: 'INVALID a disposable token must expire, within 25 h at most',
    })
    const client = enter(host, 'shop', tokenOf(admin, 'one cache shop disposable ex 10'))
    expect(admin.say('token list')).toEqual([])
    time.pass(10_000)
    expect(client.say('ping')).toEqual({ error: expect.stringContaining('expired') as string })
  })

  test('revoked, its connections end at once; so do those of a key that is retired', async () => {
    const { host, admin } = await start()
    const [first, second] = [tokenOf(admin, 'first cache shop'), tokenOf(admin, 'second cache shop')]
    const [one, other] = [enter(host, 'shop', first), enter(host, 'shop', second)]
    expect(admin.say('token revoke first')).toBe('OK')
    expect([one.closed, other.closed]).toEqual([true, false])
    expect(admin.say('token rotate')).toBe(2)
    expect([other.closed, enter(host, 'shop', second).say('ping')]).toEqual([false, 'PONG'])
    expect(admin.say('token retire')).toBe('OK')
    expect(other.closed).toBe(true)
    expect(admin.say('token retire')).toEqual({ error: 'ERR there is one signing key; ROTATE first' })
  })
})

describe('scopes', () => {
  async function scoped(scopes: string): Promise<TestClient> {
    const { host, admin } = await start()
    const owner = enter(host, 'shop', tokenOf(admin, 'owner cache shop'))
    owner.say('mset user:1 Ann user:2 Bob order:1 hat')
    return enter(host, 'shop', tokenOf(admin, `app cache shop ${scopes}`))
  }

  test('some keys, to read', async () => {
    const client = await scoped('scope keys:read:user:*')
    expect(client.say('get user:1')).toBe('Ann')
    expect(client.say('keys *')).toHaveLength(2)
    expect((client.say('scan 0 count 1000') as Answer[])[1]).toHaveLength(2)
    for (const line of [
      'get order:1',
      'mget user:1 order:1',
      'set user:1 x',
      'dbsize',
      'randomkey',
      'info',
      'subscribe a',
      'sort user:1 by nosort get *',
    ]) {
      expect(client.say(line), line).toEqual(noPermission)
    }
  })

  test('some keys, to write and not to read', async () => {
    const client = await scoped('scope keys:write:user:*')
    expect(client.say('set user:1 x')).toBe('OK')
    for (const line of [
      'get user:1',
      'set user:1 y get',
      'getdel user:1',
      'getset user:1 z',
      'incr user:1',
      'rename user:1 user:3',
      'lpop user:1',
      'set order:1 x',
      'eval return 0',
    ]) {
      expect(client.say(line), line).toEqual(noPermission)
    }
    expect(client.say('keys *')).toEqual(noPermission)
  })

  test('several: each by itself', async () => {
    const client = await scoped('scope keys:read:user:* scope keys:readwrite:cart:* scope topics:write:news')
    expect(client.say('get user:1')).toBe('Ann')
    expect(client.say('set cart:1 x')).toBe('OK')
    expect(client.say('publish news x')).toBe(0)
    for (const line of ['set user:1 x', 'copy user:1 cart:2', 'publish other x', 'subscribe news']) {
      expect(client.say(line), line).toEqual(noPermission)
    }
  })

  test('an admin may do everything, everywhere', async () => {
    const { host, admin } = await start()
    const client = enter(host, 'shop', tokenOf(admin, 'root admin'))
    expect(client.say('config get maxmemory')).toEqual(['maxmemory', '0'])
    expect(client.say('cache list')).toEqual(['bank', 'default', 'shop'])
    expect(client.say('cache delete shop')).toEqual({
      error: expect.stringContaining('you are in the cache') as string,
    })
  })

  test('no other may change caches and tokens, whatever users a cache has', async () => {
    const { host, admin } = await start()
    const root = enter(host, 'shop', tokenOf(admin, 'root admin'))
    root.run('acl', 'setuser', 'boss', 'on', '>secret', '~*', '&*', '+@all')
    const boss = enter(host, 'shop', tokenOf(admin, 'app cache shop'))
    expect(boss.run('token', 'list')).toEqual(noPermission)
    expect(boss.run('auth', 'boss', 'secret')).toBe('OK')
    expect(boss.say('config get maxmemory')).toEqual(['maxmemory', '0'])
    for (const line of ['token list', 'cache list', 'cache create more', 'token create more']) {
      expect(boss.say(line), line).toEqual(noPermission)
    }
  })
})

test('a token for some keys hears of no others: neither invalidations nor events', async () => {
  const { host, admin } = await start()
  const shop = host.service('shop')
  shop.configuration.set([['notify-keyspace-events', 'KEA']])
  const scopes = 'scope keys:read:mine:* scope topics:read'
  const [narrow, whole] = [`narrow cache shop ${scopes}`, 'whole cache shop'].map((line) => {
    const client = enter(host, 'shop', tokenOf(admin, line))
    client.say('hello 3')
    expect(client.say('client tracking on bcast')).toBe('OK')
    client.say('psubscribe __keyspace@0__:*')
    return client
  }) as [TestClient, TestClient]
  const writer = enter(host, 'shop', tokenOf(admin, 'writer cache shop'))
  for (const key of ['mine:a', 'other']) writer.run('set', key, 'x')
  shop.endBatch()
  const heard = ({ pushed }: TestClient): string => JSON.stringify(pushed)
  for (const kind of ['invalidate', 'keyspace']) expect(heard(narrow)).toContain(kind)
  expect([heard(whole).split('other').length, heard(narrow)]).toEqual([3, expect.not.stringContaining('other')])
})

test('quotas are of a token, and of a cache', async () => {
  const { host, admin } = await start()
  const slow = enter(host, 'shop', tokenOf(admin, 'slow cache shop operations 2'))
  const quick = enter(host, 'shop', tokenOf(admin, 'quick cache shop'))
  expect([slow.say('ping'), slow.say('ping')]).toEqual(['PONG', 'PONG'])
  expect(slow.say('ping')).toEqual({
    error: expect.stringMatching(
      /^LIMIT token 'slow' has used up its 2 operations a second; try again in \d+ ms$/,
    ) as string,
  })
  expect(quick.say('ping')).toBe('PONG')
  expect(admin.say('cache update shop operations 1 connections 2')).toBe('OK')
  expect(quick.say('ping')).toBe('PONG')
  expect(quick.say('ping')).toEqual({ error: expect.stringMatching(/^LIMIT cache 'shop'/) as string })
  const late = new TestClient(host.home)
  expect(late.run('auth', 'shop', tokenOf(admin, 'late cache shop'))).toEqual({
    error: "LIMIT cache 'shop' has its 2 connections already",
  })
  expect(admin.say('cache update shop operations 0')).toBe('OK')
  expect([quick.say('ping'), quick.say('ping')]).toEqual(['PONG', 'PONG'])
})

describe('caches', () => {
  async function settled(client: TestClient, line: string): Promise<Answer | undefined> {
    client.say(line)
    await expect.poll(() => client.answer).toBeDefined()
    return client.answer
  }

  test('made, described, changed and deleted', async () => {
    const { host, admin } = await start()
    expect(await settled(admin, 'cache create toys default-ttl 60 max-ttl 3600 policy allkeys-lru maxmemory 1mb')).toBe(
      'OK',
    )
    expect(await settled(admin, 'cache create toys')).toEqual({ error: "EXISTS there is a cache 'toys' already" })
    expect(await settled(admin, 'cache create ../toys')).toEqual({ error: expect.stringMatching(/^INVALID/) as string })
    const client = enter(host, 'toys', tokenOf(admin, 'app cache toys'))
    client.say('set key value')
    expect(mapOf(admin.say('cache describe toys'))).toMatchObject({
      name: 'toys',
      keys: 1,
      policy: 'allkeys-lru',
      default_ttl_ms: 60_000,
      max_ttl_ms: 3_600_000,
      operations: null,
      connections: 1,
    })
    expect(admin.say('cache update toys policy noeviction default-ttl 0')).toBe('OK')
    expect(mapOf(admin.say('cache describe toys'))).toMatchObject({ policy: 'noeviction', default_ttl_ms: null })
    expect(admin.say('cache flush toys')).toBe('OK')
    expect(client.say('dbsize')).toBe(0)
    expect(await settled(admin, 'cache delete default')).toEqual({
      error: expect.stringContaining('cannot be deleted') as string,
    })
    expect(await settled(admin, 'cache delete toys')).toBe('OK')
    expect(admin.say('cache describe toys')).toEqual({ error: "NOTFOUND there is no cache 'toys'" })
    expect(admin.say('cache update shop colour red')).toEqual({ error: "ERR unknown option 'colour'" })
  })

  test('clients of one that is deleted are told, and its tokens open no later one of that name', async () => {
    const { host, admin, time } = await start()
    const secret = tokenOf(admin, 'app cache shop')
    const disposable = tokenOf(admin, 'one cache shop disposable ex 3600')
    const [idle, waits] = [enter(host, 'shop', secret), enter(host, 'shop', secret)]
    waits.say('blpop list 0')
    await host.delete('shop')
    const gone = { error: "NOTFOUND the cache 'shop' was deleted; say anew who you are" }
    expect(waits.answer).toEqual(gone)
    expect(idle.say('get key')).toEqual(gone)
    expect([idle.service, host.home.clients.has(idle.id)]).toEqual([host.home, true])
    time.pass(1000)
    await host.create('shop')
    for (const old of [secret, disposable]) {
      expect(idle.run('auth', 'shop', old)).toEqual({
        error: expect.stringMatching(/^WRONGPASS Invalid auth token: /) as string,
      })
    }
    expect(idle.run('auth', 'default', 'x')).toBe('OK')
  })

  test('are there again after a restart, with data, tokens, keys and quotas', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millpond-host-'))
    folders.push(folder)
    const { host, admin } = await start(folder)
    const secret = tokenOf(admin, 'app cache shop')
    const key = admin.say('cache accesskey bank primary') as string
    admin.say('cache update shop operations 5 max-ttl 3600')
    admin.say('cache update default operations 7')
    enter(host, 'shop', secret).say('set key value')
    host.service('shop').endBatch()
    await host.delete('bank')
    await host.stop()
    hosts.length = 0
    const again = await start(folder)
    expect(enter(again.host, 'shop', secret).say('get key')).toBe('value')
    expect(again.host.service('shop').meter.quotas.operations).toBe(5)
    expect(again.host.home.meter.quotas.operations).toBe(7)
    expect(again.host.service('shop').cache.maxTtlMs).toBe(3_600_000)
    expect(new TestClient(again.host.home).run('auth', 'bank', key)).not.toBe('OK')
    const kept = ['tokens.json', 'access-keys.json', 'caches.json'].map((name) =>
      readFileSync(join(folder, 'millpond', name), 'utf8'),
    )
    expect(kept.join('')).not.toContain(secret.split('.')[2])
    expect(kept.join('')).not.toContain(key)
  })
})

test('what admins do is noted, without secrets', async () => {
  const { admin, audited } = await start()
  admin.say('token create app cache shop')
  admin.say('config set requirepass hidden1')
  admin.run('acl', 'setuser', 'ann', '>hidden2')
  admin.say('flushall')
  admin.say('config set maxmemory none')
  admin.say('get key')
  expect(audited.map(({ action, result }) => [action, result])).toEqual([
    ['token create', 'done'],
    ['config set', 'done'],
    ['acl setuser', 'done'],
    ['flushall', 'done'],
    ['config set', expect.stringContaining('CONFIG SET failed') as string],
  ])
  expect(audited[0]).toMatchObject({ by: 'default', cache: 'default', about: ['app', 'cache', 'shop'] })
  expect(JSON.stringify(audited)).not.toContain('hidden')
})
