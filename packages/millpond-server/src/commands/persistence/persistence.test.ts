/** What is kept on disk, with real programs: Redis reads ours and we read Redis's; a full disk; a damaged log. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { type MillpondServer, startMillpond } from '../../../../../tools/servers/millpond.ts'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'millpond-persistence-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Asked = Pick<RedisServer, 'command'>

/** Commands of many kinds: relative ones, random ones, transactions, several databases. */
async function change(server: Asked, from: number): Promise<void> {
  for (let at = from; at < from + 30; at++) {
    await server.command('SET', `text:${at}`, 'x'.repeat(at * 7), 'EX', 100_000 + at)
    await server.command('RPUSH', 'list', at, at + 1, `element ${at}`)
    await server.command('SADD', 'set', at, `member ${at}`)
    await server.command('ZADD', 'zset', at / 3, `member ${at}`)
    await server.command('HSET', 'hash', `field ${at}`, at, 'same', at)
    await server.command('XADD', 'stream', 'MAXLEN', '~', 20, '*', 'field', at)
    await server.command('INCRBYFLOAT', 'float', '0.1')
    await server.command('SPOP', 'set')
    await server.command('LPOP', 'list')
    await server.command('EXPIRE', `text:${at - 3}`, 50_000)
  }
  await server.command(
    'EVAL',
    "redis.call('SET', 'a', ARGV[1]) redis.call('INCR', 'b') redis.call('SELECT', 2) redis.call('SET', 'c', 1)",
    0,
    from,
  )
  await server.command('XGROUP', 'CREATE', 'stream', `group ${from}`, 0)
  await server.command('XREADGROUP', 'GROUP', `group ${from}`, 'ann', 'COUNT', 3, 'STREAMS', 'stream', '>')
  await server.command('RENAME', `text:${from + 5}`, `renamed:${from}`)
  await server.command('COPY', 'zset', `copy:${from}`)
}

async function redisOn(dir: string, ...args: string[]): Promise<RedisServer> {
  return startRedis({
    program: 'redis-server',
    dir,
    args: ['--dir', dir, '--dbfilename', 'dump.rdb', '--enable-debug-command', 'yes', ...args],
  })
}

/** What Redis says of all that lies in a folder. */
async function digestOf(dir: string, ...args: string[]): Promise<unknown> {
  const server = await redisOn(dir, ...args)
  try {
    return await server.command('DEBUG', 'DIGEST')
  } finally {
    await server.stop()
  }
}

/** What we hold, as Redis says. */
async function digestOfOurs(server: MillpondServer): Promise<unknown> {
  await server.command('SAVE')
  const dir = mkdtempSync(join(folder, 'saved-'))
  cpSync(join(server.dir, 'dump.rdb'), join(dir, 'dump.rdb'))
  return digestOf(dir)
}

async function untilRewritten(server: Asked): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const info = String(await server.command('INFO', 'persistence'))
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return
    await sleep(50)
  }
  throw new Error('the rewrite does not end')
}

async function withOurs<R>(use: (server: MillpondServer) => Promise<R>, ...args: string[]): Promise<R> {
  const server = await startMillpond(['--memory', '64mb', ...args])
  try {
    return await use(server)
  } finally {
    await server.destroy()
  }
}

describe('logs', () => {
  test('Redis loads ours, before and after a rewrite; so do we', async () => {
    await withOurs(
      async (server) => {
        await change(server, 1)
        const before = await digestOfOurs(server)
        expect(await digestOf(server.dir, '--appendonly', 'yes', '--appendfsync', 'no')).toBe(before)
        await server.restart()
        expect(await digestOfOurs(server)).toBe(before)
        await server.command('BGREWRITEAOF')
        await change(server, 40)
        await untilRewritten(server)
        expect(await server.command('INFO', 'persistence')).toContain('aof_last_bgrewrite_status:ok')
        expect(readdirSync(join(server.dir, 'appendonlydir')).sort()[0]).toMatch(/base\.rdb$/)
        const after = await digestOfOurs(server)
        await server.kill9()
        await server.restart()
        expect(await digestOfOurs(server)).toBe(after)
        await server.stop()
        expect(await digestOf(server.dir, '--appendonly', 'yes', '--appendfsync', 'no')).toBe(after)
      },
      '--append',
      'always',
    )
  }, 120_000)

  test.each(['yes', 'no'])(
    'we load those of Redis, with an RDB preamble: %s',
    async (preamble) => {
      const dir = mkdtempSync(join(folder, 'redis-'))
      const redis = await redisOn(dir, '--appendonly', 'yes', '--aof-use-rdb-preamble', preamble)
      await change(redis, 1)
      await redis.command('BGREWRITEAOF')
      await untilRewritten(redis)
      await change(redis, 40)
      const digest = await redis.command('DEBUG', 'DIGEST')
      await redis.stop()
      await withOurs(
        async (server) => {
          await server.stop()
          rmSync(join(server.dir, 'appendonlydir'), { recursive: true })
          cpSync(join(dir, 'appendonlydir'), join(server.dir, 'appendonlydir'), { recursive: true })
          await server.restart()
          expect(await digestOfOurs(server)).toBe(digest)
          await server.command('SET', 'more', 1)
          await server.restart()
          expect(await server.command('GET', 'more')).toBe('1')
        },
        '--append',
        'everysec',
      )
    },
    120_000,
  )

  test('damaged in the middle: the server does not start, and names the place; torn at the end: it is cut', async () => {
    await withOurs(
      async (server) => {
        for (let at = 0; at < 50; at++) await server.command('SET', `key:${at}`, `value ${at}`)
        await server.stop()
        const path = join(server.dir, 'appendonlydir', 'appendonly.aof.1.incr.aof')
        const whole = readFileSync(path)
        const at = whole.indexOf('value 20')
        const damaged = Buffer.from(whole)
        damaged[at] = 0x56
        writeFileSync(path, damaged)
        await expect(server.restart()).rejects.toThrow(/appendonly\.aof\.1\.incr\.aof is damaged at byte \d+/)
        writeFileSync(path, Buffer.concat([whole, Buffer.from('*3\r\n$3\r\nSET\r\n$6\r\nto')]))
        await server.restart()
        expect(await server.command('DBSIZE')).toBe(50)
        expect(server.log()).toContain(`were cut off at byte ${whole.length}`)
        expect(readFileSync(path).length).toBe(whole.length)
      },
      '--append',
      'always',
    )
  }, 60_000)
})

test('a full disk: writes fail and say so, reads go on; with room again all is as before', async () => {
  await withOurs(
    async (server) => {
      const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:`])
      await server.command('SET', 'key', 'before')
      limit('2000')
      await expect(server.command('SET', 'large', 'x'.repeat(4000))).rejects.toThrow(
        /^MISCONF Errors writing to the AOF file/,
      )
      await expect(server.command('SET', 'key', 'refused')).rejects.toThrow(/^MISCONF Errors writing to the AOF file/)
      expect(await server.command('GET', 'key')).toBe('before')
      expect(await server.command('INFO', 'persistence')).toContain('aof_last_write_status:err')
      limit('unlimited')
      for (let tries = 0; ; tries++) {
        const done = await server.command('SET', 'key', 'after').catch(() => undefined)
        if (done === 'OK') break
        expect(tries).toBeLessThan(200)
        await sleep(50)
      }
      await server.kill9()
      await server.restart()
      expect(await server.command('GET', 'key')).toBe('after')
    },
    '--append',
    'always',
  )
}, 60_000)

test('BGSAVE, LASTSAVE and a start from the RDB file alone', async () => {
  await withOurs(async (server) => {
    for (let at = 0; at < 200; at++) await server.command('SET', `key:${at}`, 'value', 'PX', 10_000_000)
    const before = Number(await server.command('LASTSAVE'))
    expect(await server.command('BGSAVE')).toBe('Background saving started')
    for (let tries = 0; /rdb_bgsave_in_progress:1/.test(String(await server.command('INFO', 'persistence'))); tries++) {
      expect(tries).toBeLessThan(500)
      await sleep(20)
    }
    expect(Number(await server.command('LASTSAVE'))).toBeGreaterThanOrEqual(before)
    await server.kill9()
    await server.restart()
    expect(await server.command('DBSIZE')).toBe(200)
    expect(Number(await server.command('PTTL', 'key:7'))).toBeGreaterThan(9_000_000)
  })
}, 60_000)

test('a key whose time is over when the log is read does not begin anew with the commands that followed', async () => {
  await withOurs(
    async (server) => {
      const script = "redis.call('SET', 'key', 5, 'PX', 1000) return redis.call('INCR', 'key')"
      expect(await server.command('EVAL', script, 0)).toBe(6)
      await server.command('SET', 'other', 1)
      await server.kill9()
      await sleep(1100)
      await server.restart()
      expect(await server.command('GET', 'key')).toBe(null)
      expect(await server.command('GET', 'other')).toBe('1')
    },
    '--append',
    'always',
  )
}, 60_000)
