/** RDB files and payloads, both ways, with a real redis-server as judge: its own digest of all that it holds. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { Cache } from '../cache.ts'
import { EncodingLimits } from '../encoding-limits.ts'
import { Span } from '../span.ts'
import { EngineTime } from '../time.ts'
import { Hash } from '../values/hash.ts'
import { ByteSource, FileSource } from './byte-source.ts'
import { crc64 } from './crc64.ts'
import { expandLzf } from './lzf.ts'
import { readListpack, readZipmap } from './packed.ts'
import { dumpPayload, restorePayload } from './payload.ts'
import { RdbError } from './rdb-error.ts'
import { loadRdb } from './rdb-load.ts'
import { readRdb } from './rdb-reader.ts'
import { RdbWriter } from './rdb-writer.ts'
import type { RdbValue } from './value-reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'millpond-rdb-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function makeCache(): Cache {
  const observer = { changed() {}, noted() {}, left() {}, cleared() {} }
  return new Cache({ time: new EngineTime(), observer, capacity: 64 * 2 ** 20 })
}

function write(cache: Cache, options: Partial<ConstructorParameters<typeof RdbWriter>[0]> = {}): Buffer {
  const writer = new RdbWriter({ isLogBase: false, nowMs: Date.now(), usedBytes: 0, libraries: [], ...options })
  const pieces: Buffer[] = []
  for (const db of cache.databases) {
    if (db.size === 0) continue
    writer.selectDb(db)
    for (const key of db.keys()) {
      writer.key(db, key)
      pieces.push(writer.sink.take())
    }
  }
  return Buffer.concat([...pieces, writer.end()])
}

/** Commands that make values of every type, in small and large forms. */
const FILL = `
local function fill(prefix, count, length)
  local long = string.rep('x', length)
  for at = 1, count do
    redis.call('RPUSH', prefix .. 'list', long .. at, at)
    redis.call('SADD', prefix .. 'numbers', at * 1000 - 5)
    redis.call('SADD', prefix .. 'set', long .. at)
    redis.call('ZADD', prefix .. 'zset', at * 1.25, long .. at)
    redis.call('HSET', prefix .. 'hash', long .. at, at, at, long)
    redis.call('XADD', prefix .. 'stream', '5-' .. at, 'field', long .. at, 'n', at)
  end
  redis.call('SET', prefix .. 'text', string.rep('abc', length * 3))
end
fill('small:', 5, 1)
fill('middle:', 90, 20)
fill('large:', 700, 70)
redis.call('SADD', 'wide', '9223372036854775807', '-5', '70000')
redis.call('SADD', 'wide2', '2', '-70000')
redis.call('ZADD', 'bounds', '-inf', 'low', 'inf', 'high', '0.1', 'tenth', '-0', 'zero', '17179869184', 'whole', '3.0e-5', 'e')
redis.call('RPUSH', 'ints', '0', '127', '-1', '4095', '-4096', '40000', '-40000', '9000000', '3000000000', '-9223372036854775808', '12')
redis.call('RPUSH', 'plain', string.rep('p', 20000), 'q', string.rep('r', 5000))
redis.call('SET', 'int', '12') redis.call('SET', 'int16', '-30000') redis.call('SET', 'int32', '2000000000')
redis.call('SET', 'int64', '9223372036854775807') redis.call('SET', 'bytes', '\\0\\255\\254\\r\\n')
redis.call('SET', '', 'empty key') redis.call('SET', 'empty', '')
redis.call('SET', 'dated', 'x', 'PXAT', '4000000000123')
redis.call('XADD', 'other', '1-1', 'a', '1') redis.call('XADD', 'other', '1-2', 'b', '2', 'c', '3')
redis.call('XADD', 'other', '18446744073709551615-3', 'd', '4') redis.call('XDEL', 'other', '1-2')
redis.call('XGROUP', 'CREATE', 'other', 'readers', '0')
redis.call('XREADGROUP', 'GROUP', 'readers', 'ann', 'COUNT', '1', 'STREAMS', 'other', '>')
redis.call('XREADGROUP', 'GROUP', 'readers', 'bob', 'COUNT', '1', 'STREAMS', 'other', '>')
redis.call('XGROUP', 'CREATECONSUMER', 'other', 'readers', 'cleo')
redis.call('XGROUP', 'CREATE', 'other', 'idle', '$')
redis.call('XADD', 'gone', '7-7', 'a', 'b') redis.call('XDEL', 'gone', '7-7')
redis.call('SELECT', '3') redis.call('SET', 'elsewhere', '3')
return redis.call('DBSIZE')
`

async function digest(server: RedisServer): Promise<unknown> {
  return server.command('DEBUG', 'DIGEST')
}

async function withRedis<R>(
  dump: Buffer | undefined,
  use: (server: RedisServer, dir: string) => Promise<R>,
): Promise<R> {
  const dir = mkdtempSync(join(folder, 'redis-'))
  if (dump) writeFileSync(join(dir, 'dump.rdb'), dump)
  const server = await startRedis({
    program: 'redis-server',
    dir,
    args: ['--enable-debug-command', 'yes', '--dbfilename', 'dump.rdb', '--dir', dir],
  })
  try {
    return await use(server, dir)
  } finally {
    await server.stop()
  }
}

test('Redis writes, we read and write, Redis reads: its digest is the same; and again without compression', async () => {
  for (const compression of ['yes', 'no']) {
    const { dump, before } = await withRedis(undefined, async (server, dir) => {
      await server.command('CONFIG', 'SET', 'rdbcompression', compression, 'hash-max-listpack-entries', '300')
      await server.command('EVAL', FILL, '0')
      await server.command('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
      const before = await digest(server)
      await server.command('SAVE')
      return { before, dump: readFileSync(join(dir, 'dump.rdb')) }
    })
    const cache = makeCache()
    const libraries: string[] = []
    const file = join(folder, 'ours.rdb')
    writeFileSync(file, dump)
    const open = openSync(file, 'r')
    const loaded = loadRdb(new FileSource(open, 0, statSync(file).size), cache, Date.now(), (text) =>
      libraries.push(text),
    )
    closeSync(open)
    expect(loaded.keys).toBe(37)
    expect(libraries).toHaveLength(1)
    const written = write(cache, { libraries })
    const { after, functions, groups } = await withRedis(written, async (server) => ({
      after: await digest(server),
      functions: await server.command('FCALL', 'f', '0'),
      groups: JSON.stringify(await server.command('XINFO', 'STREAM', 'other', 'FULL')),
    }))
    expect(after).toBe(before)
    expect(functions).toBe(1)
    for (const told of ['"entries-added",3', '"ann"', '"cleo"', '"max-deleted-entry-id","1-2"']) {
      expect(groups).toContain(told)
    }
  }
}, 60_000)

test('payloads of DUMP: what Redis gives we read; what we give Redis restores', async () => {
  await withRedis(undefined, async (server) => {
    await server.command('EVAL', FILL, '0')
    const before = await digest(server)
    const keys = (await server.command('KEYS', '*')) as string[]
    const toHex =
      "return (redis.call('DUMP', KEYS[1]):gsub('.', function(c) return string.format('%02x', c:byte()) end))"
    const restore =
      "return redis.call('RESTORE', KEYS[1], ARGV[2], ARGV[1]:gsub('..', function(h) return string.char(tonumber(h, 16)) end), 'REPLACE', 'ABSTTL')"
    expect(keys.length).toBeGreaterThan(30)
    for (const key of keys) {
      if (key === '') continue
      const payload = Buffer.from((await server.command('EVAL', toHex, '1', key)) as string, 'hex')
      const value = restorePayload(payload, new EncodingLimits())
      const ours = dumpPayload(value).toString('hex')
      const expiry = key === 'dated' ? '4000000000123' : '0'
      expect(await server.command('EVAL', restore.replace(':gsub', ':gsub'), '1', key, ours, expiry), key).toBe('OK')
    }
    expect(await digest(server)).toBe(before)
  })
}, 60_000)

describe('what is not as it should be', () => {
  const whole = (() => {
    const cache = makeCache()
    const db = cache.databases[0]!
    for (let key = 0; key < 50; key++) db.setString(Span.of(`key:${key}`), Buffer.from('value'), 0, 5)
    const hash = new Hash(cache.limits)
    for (let field = 0; field < 20; field++) hash.set(`field:${field}`, 'x'.repeat(field))
    db.put(Span.of('hash'), hash)
    return write(cache)
  })()
  const load = (bytes: Buffer) => loadRdb(new ByteSource(bytes), makeCache(), Date.now(), () => {})
  const read = (bytes: Buffer) => readRdb(new ByteSource(bytes), new EncodingLimits(), { key() {}, library() {} })

  test('a file that was cut or changed anywhere is refused, with the place', () => {
    expect(load(whole).keys).toBe(51)
    for (let at = 0; at < whole.length; at += 7) {
      expect(() => read(whole.subarray(0, at)), `cut at ${at}`).toThrow(RdbError)
      const flipped = Buffer.from(whole)
      flipped[at]! ^= 1 << (at % 8)
      expect(() => read(flipped), `changed at ${at}`).toThrow(RdbError)
    }
    try {
      load(whole.subarray(0, 100))
    } catch (error) {
      expect((error as RdbError).offset).toBeGreaterThan(50)
    }
  })

  test('data of modules is refused by name', () => {
    const id = Buffer.alloc(8)
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    let number = 2n
    for (const [place, letter] of [...'ReJSON-RL'].entries()) {
      number |= BigInt(characters.indexOf(letter)) << (10n + BigInt(8 - place) * 6n)
    }
    id.writeBigUInt64BE(number)
    const file = Buffer.concat([Buffer.from('REDIS0010'), Buffer.from([7, 1, 97, 0x81]), id])
    expect(() => load(file)).toThrow("module 'ReJSON-RL'")
    expect(() => load(Buffer.from('REDIS0099'))).toThrow('version 99')
    expect(() => load(Buffer.from('no such file'))).toThrow('no RDB file')
  })

  test('payloads: another version, a wrong checksum, a damaged value', () => {
    const payload = dumpPayload(Buffer.from('value'))
    const limits = new EncodingLimits()
    expect(restorePayload(payload, limits)).toEqual(Buffer.from('value'))
    const changed = Buffer.from(payload)
    changed[2]! ^= 1
    expect(() => restorePayload(changed, limits)).toThrow('version or checksum are wrong')
    expect(() => restorePayload(Buffer.from('xy'), limits)).toThrow('version or checksum are wrong')
    const damaged = Buffer.concat([Buffer.from([2, 5, 1]), Buffer.from([10, 0]), Buffer.alloc(8)])
    expect(() => restorePayload(damaged, limits)).toThrow('Bad data format')
  })
})

test('fields that expire: kept in files that Redis reads too, and in payloads as Redis 7.4 has them', () => {
  const cache = makeCache()
  const hash = new Hash(cache.limits)
  hash.set('field', 'value')
  hash.set('lasting', 'value')
  hash.setExpiry('field', 4_000_000_000_123)
  cache.databases[0]!.put(Span.of('hash'), hash)
  const again = makeCache()
  loadRdb(new ByteSource(write(cache)), again, Date.now(), () => {})
  const read = (value: RdbValue | undefined) => {
    const found = value as Hash
    return [found.expiresAtMs('field'), found.expiresAtMs('lasting'), found.get('lasting')]
  }
  expect(read(again.databases[0]!.collection(Span.of('hash')))).toEqual([4_000_000_000_123, Infinity, 'value'])
  expect(read(restorePayload(dumpPayload(hash), cache.limits))).toEqual([4_000_000_000_123, Infinity, 'value'])
})

test('checksum, compression, old forms', () => {
  expect(crc64(Buffer.from('123456789'))).toBe(0xe9c6d914c4b8d9can)
  const packed = Buffer.from([2, 97, 98, 99, 0x20, 2, 0xe0, 1, 2])
  expect(expandLzf(packed, 16).toString()).toBe('abcabcabcabcabca')
  expect(() => expandLzf(Buffer.from([0x20, 9]), 3)).toThrow(RdbError)
  const zipmap = Buffer.from([2, 3, ...Buffer.from('foo'), 3, 1, ...Buffer.from('bar'), 0, 1, 97, 0, 0, 0xff])
  expect(readZipmap(zipmap)).toEqual(['foo', 'bar', 'a', ''])
  expect(() => readListpack(Buffer.from([9, 0, 0, 0, 1, 0, 0x85]))).toThrow(RdbError)
})
