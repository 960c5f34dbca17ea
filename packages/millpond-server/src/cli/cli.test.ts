/** The command line as a user meets it: `init`, `serve`, and everything that goes there. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { connectService } from 'millpond/service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servicePort } from '../../../../tools/servers/port.ts'
import { startRedis } from '../../../../tools/servers/redis.ts'
import { UserFolder } from './cli.fixture.ts'

const user = new UserFolder()
let server: ChildProcess
let greeting = ''
let made: { redis: string; memcached: string; http: string; admin: string; token: string; certificate: string }
beforeAll(async () => {
  const port = await servicePort()
  const init = [
    'init',
    'shop',
    '--json',
    '--port',
    `${port}`,
    '--memcached-port',
    '0',
    '--http-port',
    '0',
    '--memory',
    '64mb',
  ]
  made = JSON.parse(await user.says(...init)) as typeof made
  const started = await user.start(['serve'], 'Ready to accept connections')
  server = started.child
  greeting = started.said()
}, 60_000)
afterAll(() => user.remove())

const json = async (...args: string[]): Promise<unknown> => JSON.parse(await user.says(...args, '--json'))

test('init keeps secrets from others, and overwrites nothing', async () => {
  const mode = (...path: string[]) => statSync(join(user.path, ...path)).mode & 0o777
  expect(mode('millpond.conf')).toBe(0o600)
  expect(mode('millpond-data', 'millpond.key')).toBe(0o600)
  expect(mode('home', 'millpond', 'profiles.json')).toBe(0o600)
  const again = await user.run(['init'])
  expect(again).toMatchObject({ code: 2, out: '' })
  expect(again.error).toContain('there is one already')
})

test('serve says how to connect, and no secret', () => {
  expect(greeting).toContain('--tls --cacert')
  expect(greeting).toContain('caches: shop')
  expect(greeting).not.toContain(made.token)
})

test('the connection string of init opens its cache by TLS, and no other', async () => {
  const tls = { ca: readFileSync(made.certificate) }
  const service = connectService(made.redis, { tls })
  expect(await service.command('SET', 'greeting', 'hello')).toBe('OK')
  await expect(service.caches.list()).rejects.toMatchObject({ reason: 'access', word: 'NOPERM' })
  await service.close()
  const other = connectService(made.redis.replace('//shop:', '//default:'), { tls })
  await expect(other.ready()).rejects.toMatchObject({ reason: 'access' })
  await other.close()
  const distrustful = connectService(made.redis)
  await expect(distrustful.ready()).rejects.toThrow('certificate')
  await distrustful.close()
})

describe('keys', () => {
  const shop = (...args: string[]) => user.run([...args, '--cache', 'shop'])

  test('are put, read, counted, listed and deleted', async () => {
    expect(await shop('set', 'a', 'one', '--ttl', '1h')).toEqual({ code: 0, out: '', error: '' })
    expect(await shop('get', 'a')).toEqual({ code: 0, out: 'one\n', error: '' })
    expect((await shop('ttl', 'a')).out).toMatch(/^(1 h|59 min 5\d s)\n$/)
    expect(await shop('ttl', 'a', 'forever')).toMatchObject({ code: 0, out: 'for ever\n' })
    expect(await shop('incr', 'n', '5')).toMatchObject({ code: 0, out: '5\n' })
    expect((await shop('keys', '[an]')).out.trim().split('\n').sort()).toEqual(['a', 'n'])
    expect(await shop('delete', 'a', 'n', 'none')).toMatchObject({ code: 0, out: '2\n' })
  })

  test('that are absent are told by exit code 3', async () => {
    expect(await shop('get', 'none')).toEqual({ code: 3, out: '', error: 'there is no key "none"\n' })
    expect(await shop('delete', 'none')).toMatchObject({ code: 3, out: '0\n' })
    expect(await shop('set', 'b', '1', '--if', 'present')).toMatchObject({
      code: 3,
      error: 'not stored: the key is absent\n',
    })
  })

  test('hold any bytes, by stdin and --raw; JSON has them as they are', async () => {
    await user.run(['set', 'bytes', '-', '--cache', 'shop'], { input: 'line\nü' })
    expect((await shop('get', 'bytes', '--raw')).out).toBe('line\nü')
    expect(JSON.parse((await shop('get', 'bytes', '--json')).out)).toEqual({ key: 'bytes', value: 'line\nü' })
  })
})

test('caches are made, described, changed, emptied and deleted', async () => {
  expect(await json('cache', 'create', 'jobs', '--max-memory', '16mb', '--default-ttl', '90s')).toMatchObject({ name: 'jobs', maxBytes: 16 * 2 ** 20, defaultTtlMs: 90_000 }) // biome-ignore format: one line
  const twice = await user.run(['cache', 'create', 'jobs'])
  expect(twice).toMatchObject({ code: 1, out: '' })
  expect(twice.error).toContain("there is a cache 'jobs' already")
  await user.says('set', 'a', '1', '--cache', 'jobs')
  expect(await json('cache', 'update', 'jobs', '--policy', 'allkeys-lru', '--default-ttl', '0')).toMatchObject({ policy: 'allkeys-lru', defaultTtlMs: null, keys: 1 }) // biome-ignore format: one line
  const asked = await user.run(['cache', 'flush', 'jobs'])
  expect(asked.code).toBe(2)
  expect(asked.error).toContain('--yes')
  await user.says('cache', 'flush', 'jobs', '--yes')
  expect(await json('cache', 'describe', 'jobs')).toMatchObject({ keys: 0 })
  await user.says('cache', 'delete', 'jobs', '--yes')
  expect(((await json('cache', 'list')) as { name: string }[]).map(({ name }) => name)).toEqual(['default', 'shop'])
})

test('tokens are told once, do what they are for, and end when they are revoked', async () => {
  const token = (await user.says('token', 'create', 'reader', '--for', 'shop', '--scope', 'keys:read:user:*')).trim()
  await user.says('set', 'user:1', 'Ann', '--cache', 'shop')
  const login = { env: { MILLPOND_CACHE: 'shop', MILLPOND_TOKEN: token } }
  expect(await user.run(['get', 'user:1'], login)).toMatchObject({ code: 0, out: 'Ann\n' })
  const denied = await user.run(['set', 'user:1', 'Bob'], login)
  expect(denied.code).toBe(5)
  expect(denied.error).toContain('millpond token create')
  expect(await user.says('token', 'list')).not.toContain(token)
  expect(await json('token', 'list')).toContainEqual(expect.objectContaining({ name: 'reader', scopes: ['keys:read:user:*'] })) // biome-ignore format: one line
  await user.says('token', 'revoke', 'reader')
  const revoked = await user.run(['get', 'user:1'], login)
  expect(revoked.code).toBe(5)
  expect(revoked.error).toContain('revoked')
  expect(revoked.error).not.toContain(token)
})

test('a cache is backed up, lost and brought back, with the lives of its keys', async () => {
  await user.says('cache', 'create', 'kept')
  await user.says('set', 'a', 'one', '--ttl', '1h', '--cache', 'kept')
  await user.says('set', 'b', 'two', '--cache', 'kept')
  expect(await json('backup', 'backups', '--cache', 'kept')).toMatchObject({ state: 'done', result: { keys: 2 } })
  const [record] = (await json('backup', 'backups', '--list', '--cache', 'kept')) as { name: string; keys: number }[]
  expect(record).toMatchObject({ keys: 2, name: expect.stringMatching(/^kept-.*\.rdb$/) })
  const occupied = await user.run(['restore', 'backups', '--cache', 'kept'])
  expect(occupied).toMatchObject({ code: 1, out: '' })
  await user.says('cache', 'flush', 'kept', '--yes')
  expect(await user.says('restore', 'backups', '--cache', 'kept')).toContain('restored')
  expect(await user.says('get', 'a', '--cache', 'kept')).toBe('one\n')
  expect(await user.says('ttl', 'a', '--cache', 'kept')).toMatch(/^59 min|^1 h/)
  const missing = await user.run(['restore', 'nowhere.rdb', '--replace', '--cache', 'kept'])
  expect(missing.code).toBe(1)
  expect(missing.error).toContain('nowhere.rdb')
  await user.says('cache', 'delete', 'kept', '--yes')
})

test('what a running Redis holds is brought over; keys that are there stay, unless they are to be replaced', async () => {
  const redis = await startRedis()
  try {
    for (let at = 0; at < 50; at++) await redis.command('SET', `key:${at}`, at, 'EX', 3600)
    await user.says('cache', 'create', 'moved')
    await user.says('set', 'key:1', 'mine', '--cache', 'moved')
    const source = `redis://127.0.0.1:${redis.port}`
    expect(await json('import', source, '--cache', 'moved')).toMatchObject({
      state: 'done',
      result: { keys: 49, kept: 1 },
    })
    expect(await user.says('get', 'key:1', '--cache', 'moved')).toBe('mine\n')
    expect(await user.says('import', source, '--replace', '--cache', 'moved')).toMatch(/^imported: 50 keys/)
    expect(await user.says('get', 'key:1', '--cache', 'moved')).toBe('1\n')
    expect(await user.says('ttl', 'key:49', '--cache', 'moved')).toMatch(/^59 min|^1 h/)
  } finally {
    await redis.destroy()
  }
  const gone = await user.run(['import', `redis://s3cret@127.0.0.1:${redis.port}`, '--cache', 'moved'])
  expect(gone.code).toBe(1)
  expect(gone.error).not.toContain('s3cret')
  await user.says('cache', 'delete', 'moved', '--yes')
})

test('stats, top and doctor tell how it does', async () => {
  expect(await user.says('stats')).toMatch(/memory +\S+ \S+ of 64\.0 MB, then allkeys-tinylfu/)
  expect(await json('stats')).toMatchObject({ maxmemory_policy: 'allkeys-tinylfu' })
  expect(await json('top', '--count', '1', '--every', '0.05')).toMatchObject({ clients: 1, keys: 0 })
  const doctor = (await json('doctor')) as { findings: { about: string; verdict: string }[] }
  const verdicts = Object.fromEntries(doctor.findings.map(({ about, verdict }) => [about, verdict]))
  expect(verdicts).toMatchObject({ tls: 'good', tokens: 'good', clock: 'good', durability: 'note', memory: 'good' })
})

test('monitor tells commands as they are given', async () => {
  const service = connectService(made.redis, { tls: { ca: readFileSync(made.certificate) } })
  const given = setInterval(() => void service.command('SET', 'watched', 'value').catch(() => {}), 50)
  try {
    const { child, said } = await user.start(['monitor', '--cache', 'shop', '--match', 'watched'], '"watched"')
    expect(said()).toMatch(/^\d+\.\d+ \[0 127\.0\.0\.1:\d+\] "SET" "watched" "value"\n/)
    expect(await user.end(child, 'SIGINT')).toBe(0)
  } finally {
    clearInterval(given)
    await service.close()
  }
})

test.each(['bash', 'zsh', 'fish'])('completion for %s knows every command', async (shell) => {
  const script = await user.says('completion', shell)
  for (const word of ['serve', 'create', 'access-key', 'profile', 'doctor', 'max-memory'])
    expect(script).toContain(word)
})

test('bash completes commands and options', async () => {
  const script = await user.says('completion', 'bash')
  const complete = (line: string) => {
    const words = line.split(' ')
    const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _millpond; echo "\${COMPREPLY[@]}"` // biome-ignore format: one line
    return execFileSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' })
      .trim()
      .split(' ')
  }
  expect(complete('millpond tok')).toEqual(['token'])
  expect(complete('millpond cache ')).toEqual(expect.arrayContaining(['create', 'list', 'access-key']))
  expect(complete('millpond cache create --max')).toEqual(['--max-memory', '--max-ttl'])
  expect(complete('millpond doctor postgres --tab')).toEqual(['--tables'])
})

test('bench measures, and leaves nothing behind', async () => {
  const bench = (await json('bench', '--operations', '200', '--connections', '2', '--keys', '10')) as { measured: { perSecond: number }[] } // biome-ignore format: one line
  expect(bench.measured.map(({ perSecond }) => perSecond > 0)).toEqual([true, true])
  expect(await user.says('keys')).toBe('')
})

test('profiles, MILLPOND_URL and --url say where commands go', async () => {
  const elsewhere = await user.run(['get', 'a'], { env: { MILLPOND_URL: 'millpond://127.0.0.1:1' } })
  expect(elsewhere.code).toBe(4)
  expect(elsewhere.error).toContain('millpond serve')
  await user.says('profile', 'save', 'nowhere', 'millpond://shop:s3cret@127.0.0.1:1')
  expect((await user.run(['get', 'a'])).code).toBe(4)
  expect(await user.says('profile', 'list')).not.toContain('s3cret')
  expect((await user.run(['keys', '--profile', 'local'])).code).toBe(0)
  await user.says('profile', 'use', 'local')
  await user.says('profile', 'delete', 'nowhere')
  const unknown = await user.run(['keys', '--profile', 'nowhere'])
  expect(unknown.code).toBe(2)
  expect(unknown.error).toContain('millpond profile save')
})

test('serve takes a certificate and demands tokens by flags alone', async () => {
  const other = new UserFolder()
  try {
    const files = ['--tls-cert', made.certificate, '--tls-key', made.certificate.replace(/crt$/, 'key')]
    const { said } = await other.start(['serve', '--port', '0', '--tokens', '--memory', '16mb', ...files], 'Ready')
    const port = /redis-cli -h 127\.0\.0\.1 -p (\d+) --tls/.exec(said())![1]!
    expect(said()).not.toMatch(/^ {2}redis {2}/m)
    const reach = ['--ca', made.certificate, '--url']
    const denied = await other.run(['keys', ...reach, `millponds://127.0.0.1:${port}`])
    expect(denied.code).toBe(5)
    expect(denied.error).toContain('millpond init')
    expect((await other.run(['keys', '--url', `millpond://127.0.0.1:${port}`])).code).toBe(4)
    const half = await other.run(['serve', '--tls-cert', made.certificate])
    expect(half.code).toBe(2)
    expect(half.error).toContain('--tls-key')
  } finally {
    await other.remove()
  }
})

test('caches, tokens and the token of init are there after a restart', async () => {
  expect(await user.end(server)).toBe(0)
  server = (await user.start(['serve'], 'Ready to accept connections')).child
  const service = connectService(made.redis, { tls: { ca: readFileSync(made.certificate) } })
  expect(await service.command('SET', 'a', 1)).toBe('OK')
  await service.close()
})
