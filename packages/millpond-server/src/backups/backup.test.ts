/** Backups to a folder, and back: under writes, equal by digest; damaged and torn ones; what they do to the cache that they are of. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { startRedis } from '../../../../tools/servers/redis.ts'
import { seededRandom } from '../../../millpond/src/core/random.ts'
import { type TestClient, TestService } from '../commands/testing.ts'
import { digestOf, digestOfKey } from '../engine/digest.ts'
import { Span } from '../engine/span.ts'
import { backUp, listBackups, recordName } from './backup.ts'
import { BackupError } from './backup-error.ts'
import { checkBackup } from './check.ts'
import { FolderVault } from './folder-vault.ts'
import { locate } from './location.ts'
import { restore } from './restore.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'millpond-backups-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const newVault = () => new FolderVault(mkdtempSync(join(folder, 'vault-')))

/** Keys of all kinds; those whose name begins with 'still' are not written to by `churn`. */
function fill(client: TestClient, count: number): void {
  for (let at = 0; at < count; at++) {
    const key = `${at % 2 ? 'still' : 'busy'}:${at}`
    client.run('set', key, `value ${at}`, ...(at % 3 ? [] : ['px', 1_000_000 + at]))
    if (at % 20 !== 1) continue
    client.run('rpush', `still:list:${at}`, 'a', at, 'b')
    client.run('sadd', `still:set:${at}`, 1, 2, at)
    client.run('zadd', `still:zset:${at}`, 1.5, 'a', at, 'b')
    client.run('hset', `still:hash:${at}`, 'field', at, 'other', 'x')
    client.run('hpexpire', `still:hash:${at}`, 5_000_000 + at, 'fields', 1, 'other')
    client.run('xadd', `still:stream:${at}`, '*', 'field', at)
  }
  client.service.databases[0]!.setFlagged(Span.of('still:flags'), Buffer.from('of memcached'), 17, Infinity)
}

function churn(client: TestClient, random: () => number): void {
  const key = `busy:${Math.floor(random() * 4000)}`
  const choice = random()
  if (choice < 0.5) client.run('set', key, random().toString(), 'px', 3_000_000)
  else if (choice < 0.8) client.run('del', key)
  else client.run('rpush', `busy:list:${key}`, 'x')
}

const NOW = 'still:'

/** By key: a digest of what it holds, its expiry, its flags. */
function stillKeys({ databases }: TestService): Map<string, string> {
  const [db] = databases as [TestService['databases'][0]]
  const found = new Map<string, string>()
  for (const key of db.keys()) {
    const name = Buffer.from(key).toString('latin1')
    if (!name.startsWith(NOW)) continue
    const held = db.peek(Span.of(name))!
    found.set(name, `${digestOfKey(key, held).hex} ${held.expiresAtMs} ${held.clientFlags ?? 0}`)
  }
  return found
}

describe('a backup in a folder', () => {
  test('of 20,000 keys under writes, then everything deleted, then restored: what was not written meanwhile is equal, expiries too', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = seededRandom(seed)
    const service = new TestService()
    const client = service.client()
    fill(client, 20_000)
    const before = stillKeys(service)
    const fields = client.say('hpexpiretime still:hash:1 fields 2 field other')
    const vault = newVault()
    const progress: number[] = []
    let isOver = false
    const backup = backUp(service, vault, { onProgress: ({ done }) => void progress.push(done) }).finally(() => {
      isOver = true
    })
    let writes = 0
    for (; !isOver; writes++) {
      churn(client, random)
      if (writes % 50 === 0) await sleep(0)
    }
    const record = await backup
    expect(writes).toBeGreaterThan(50)
    expect(progress.length).toBeGreaterThan(1)
    expect(record).toMatchObject({ cache: 'default', bytes: statSync(join(vault.url, record.name)).size })
    client.say('flushall')
    const restored = await restore(service, vault, record.name)
    expect(restored).toMatchObject({ keys: record.keys, expired: 0 })
    expect(stillKeys(service), `seed ${seed}`).toEqual(before)
    expect(client.say('hpexpiretime still:hash:1 fields 2 field other')).toEqual(fields)
  })

  test('is loaded by redis-server, equal by its own digest', async () => {
    const service = new TestService()
    const client = service.client()
    fill(client, 2000)
    // Redis 7.0 has no fields that expire.
    for (let at = 1; at < 2000; at += 20) client.run('hpersist', `still:hash:${at}`, 'fields', 1, 'other')
    client.say('select 3')
    client.say('set other database')
    const vault = newVault()
    const { name } = await backUp(service, vault, { name: 'dump.rdb' })
    const redis = await startRedis({
      program: 'redis-server',
      dir: vault.url,
      args: ['--dbfilename', name, '--enable-debug-command', 'yes'],
    })
    try {
      // The time of the test is long ago, and Redis would let everything expire.
      const persisted = new TestService()
      await restore(persisted, vault, name)
      const keys = await redis.command('DBSIZE')
      const living = [...persisted.databases[0]!.keys()].filter(
        (key) => persisted.databases[0]!.expiresAtMs(new Span(Buffer.from(key))) === Infinity,
      )
      expect(keys).toBe(living.length)
      const expiring = [...persisted.databases[0]!.keys()].filter(
        (key) => persisted.databases[0]!.expiresAtMs(new Span(Buffer.from(key))) !== Infinity,
      )
      for (const key of expiring) persisted.databases[0]!.delete(new Span(Buffer.from(key)))
      expect(await redis.command('DEBUG', 'DIGEST')).toBe(digestOf(persisted.databases))
    } finally {
      await redis.destroy()
    }
  }, 60_000)

  test('that was torn, changed, or is no backup changes nothing; nor does one into a cache that holds something', async () => {
    const service = new TestService()
    const client = service.client()
    fill(client, 500)
    const vault = newVault()
    const { name } = await backUp(service, vault)
    await expect(restore(service, vault, name)).rejects.toMatchObject({ fault: 'occupied' })
    const empty = new TestService()
    const path = join(vault.url, name)
    const whole = readFileSync(path)
    const damaged = Buffer.from(whole)
    damaged[whole.length >> 1]! ^= 4
    for (const withRecord of [true, false]) {
      if (!withRecord) rmSync(join(vault.url, recordName(name)))
      writeFileSync(path, damaged)
      await expect(restore(empty, vault, name), `record ${withRecord}`).rejects.toMatchObject({ fault: 'damaged' })
      writeFileSync(path, whole)
      truncateSync(path, whole.length - 100)
      await expect(restore(empty, vault, name)).rejects.toMatchObject({ fault: 'damaged' })
      expect(empty.databases[0]!.size).toBe(0)
    }
    writeFileSync(path, 'hello, this is no backup')
    await expect(restore(empty, vault, name)).rejects.toThrow(/this is no RDB file/)
    await expect(restore(empty, vault, 'none.rdb')).rejects.toMatchObject({ fault: 'missing' })
    writeFileSync(path, whole)
    expect(await restore(empty, vault, name)).toMatchObject({ keys: service.databases[0]!.size })
  })

  test('with replace: keys of the backup win, others stay; the log of the cache has it all', async () => {
    const service = new TestService()
    const client = service.client()
    client.say('set same backup px 5000000')
    client.say('set gone 1 px 10')
    client.say('hset hash f 1 g 2')
    client.say('hpexpire hash 50 fields 1 g')
    service.databases[0]!.setFlagged(Span.of('flags'), Buffer.from('x'), 5, Infinity)
    const vault = newVault()
    const { name } = await backUp(service, vault)
    service.time.pass(100)
    const target = new TestService()
    target.time.pass(100)
    const other = target.client()
    other.say('set same here')
    other.say('set gone here')
    other.say('set stays here')
    const log = target.logLines()
    const events = target.events()
    expect(await restore(target, vault, name, { replace: true })).toEqual({ keys: 3, expired: 1, libraries: 0 })
    expect(other.say('mget same gone stays')).toEqual(['backup', null, 'here'])
    expect(other.say('pexpiretime same')).toBe(client.say('pexpiretime same'))
    expect(other.say('hgetall hash')).toEqual(['f', '1'])
    expect(log.map((line) => line.split(' ').slice(0, 2).join(' ')).toSorted()).toEqual([
      'DEL gone',
      'HDEL hash',
      'RESTORE hash',
      'RESTORE hash',
      'RESTORE same',
      'SET flags',
    ])
    expect(events).toContain('restore same')
    expect(events).toContain('del gone')
  })

  test('that cannot be written, or is given up, leaves nothing behind and the cache as it was', async () => {
    const service = new TestService()
    const client = service.client()
    fill(client, 3000)
    const digest = digestOf(service.databases)
    writeFileSync(join(folder, 'file'), '')
    await expect(backUp(service, new FolderVault(join(folder, 'file')))).rejects.toMatchObject({ fault: 'storage' })
    const vault = newVault()
    const stopping = new AbortController()
    const given = backUp(service, vault, { signal: stopping.signal, name: 'default-1.rdb' })
    await sleep(0)
    stopping.abort()
    await expect(given).rejects.toThrow(/abort/)
    expect(await vault.list()).toEqual([])
    expect(await listBackups(vault, 'default')).toEqual([])
    expect(digestOf(service.databases)).toBe(digest)
  })
})

test('where a backup is: paths and buckets; what is none is refused in words, without secrets', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }
  const told = (text: string, environment = {}): string => {
    const { vault, name } = locate(text, environment)
    return `${vault.url} ${String(name)}`
  }
  expect(told('/a/b/c.rdb')).toBe('/a/b c.rdb')
  expect(told('/a/b')).toBe('/a/b undefined')
  expect(told('file:///a/b%20c.rdb')).toBe('/a b c.rdb')
  expect(told('s3://bucket/a/b.rdb', keys)).toBe('s3://bucket/a/ b.rdb')
  expect(told('s3://bucket/a', keys)).toBe('s3://bucket/a/ undefined')
  expect(told('s3://bucket', keys)).toBe('s3://bucket/ undefined')
  expect(() => told('s3://bucket/a')).toThrow(/AWS_ACCESS_KEY_ID/)
  expect(() => told('s3://me:word@bucket/a', keys)).toThrow(/^s3:\/\/bucket\/a: keys stand in the environment/)
  expect(() => told('http://me:word@host/a')).toThrow(
    new BackupError('refused', 'http://…@host/a', 'give a path, or s3://bucket/folder'),
  )
})

test('a backup that was read back is told to be whole, one without its record by its checksum', async () => {
  const service = new TestService()
  fill(service.client(), 100)
  const vault = newVault()
  const { name, sha256 } = await backUp(service, vault)
  expect(await checkBackup(vault, name)).toMatchObject({ sha256 })
  rmSync(join(vault.url, recordName(name)))
  expect(await checkBackup(vault, name)).toBe(undefined)
})
