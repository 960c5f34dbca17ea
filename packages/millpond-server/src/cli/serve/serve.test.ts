import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ask } from '../../../../../tools/servers/resp.ts'
import { readConfigFile } from '../../commands/configuration/config-file.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { redisArguments } from './redis-arguments.ts'

/** A server of the sources, once it says that it is ready. */
async function serve(...args: string[]): Promise<{ child: ChildProcess; said: string; port: number }> {
  return await serveWith({}, ...args)
}

async function serveWith(env: NodeJS.ProcessEnv, ...args: string[]): ReturnType<typeof serve> {
  const main = join(import.meta.dirname, '../main.ts')
  const words = ['--conditions=@millpond/source', '--import', 'tsx', main, 'serve', ...args]
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env } })
  let said = ''
  child.stdout!.on('data', (bytes: Buffer) => {
    said += bytes
  })
  const exit = once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended with ${code}: ${said}`)))
  exit.catch(() => {})
  while (!said.includes('Ready to accept connections')) await Promise.race([once(child.stdout!, 'data'), exit])
  return { child, said, port: Number(/redis-cli -h \S+ -p (\d+)/.exec(said)![1]) }
}

async function end(child: ChildProcess): Promise<number> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  return ((await exit) as [number])[0]
}

test('it says how to connect, serves, and ends in good order', { timeout: 60_000 }, async () => {
  const { child, said, port } = await serve('--port', '0', '--memory', '16mb', '--requirepass', 'known')
  expect(said).toContain(`PID: ${child.pid}`)
  expect(said).toContain('16.00M')
  await expect(ask({ port }, 'GET', 'a')).rejects.toThrow('NOAUTH')
  expect(await ask({ port, password: 'known' }, 'SET', 'a', '1')).toBe('OK')
  expect(await end(child)).toBe(0)
})

test("with --redis-conf it reads Redis's file, and arguments after it", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-'))
  try {
    const file = join(folder, 'redis.conf')
    writeFileSync(file, 'maxclients 77\nport 1\nuser ann on nopass ~* +@all\n')
    const { child, port } = await serve('--redis-conf', file, '--port', '0', '--timeout', '9')
    expect(await ask({ port }, 'CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', '77'])
    expect(await ask({ port }, 'CONFIG', 'GET', 'timeout')).toEqual(['timeout', '9'])
    expect(await ask({ port }, 'ACL', 'USERS')).toEqual(['ann', 'default'])
    expect(await end(child)).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a port that is taken is named, and nothing goes on', { timeout: 60_000 }, async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  try {
    await expect(serve('--port', '0', '--memcached-port', String(port))).rejects.toThrow('ended with 1')
  } finally {
    taken.close()
  }
})

test('where the heap is too small for the memory, it starts again with a larger one', {
  timeout: 120_000,
}, async () => {
  const small = { NODE_OPTIONS: '--max-old-space-size=300' }
  const started = await serveWith(small, '--port', '0', '--memory', '200mb')
  const pid = Number(/PID: (\d+)/.exec(started.said)![1])
  expect(pid).not.toBe(started.child.pid)
  expect(await end(started.child)).toBe(0)
  const { child, port } = await serveWith(small, '--port', '0', '--memory', '200mb')
  child.kill('SIGKILL')
  await expect.poll(() => ask({ port }, 'PING').catch(() => 'gone'), { timeout: 20_000 }).toBe('gone')
})

test('arguments of redis-server: a file or none, values of several words, empty ones', () => {
  const textOf = (...words: string[]): string => redisArguments(words).text
  expect(redisArguments(['a.conf', '--save', '900', '1', '--logfile', ''])).toEqual({
    file: 'a.conf',
    text: 'save "900" "1"\nlogfile ""',
  })
  expect(redisArguments(['--port', '1'])).toEqual({ file: undefined, text: 'port "1"' })
  expect(textOf('--port 1', '--loglevel', '--bla', '--save', '--hz', '5')).toBe(
    'port 1\nloglevel "--bla"\nsave ""\nhz "5"',
  )
  expect(textOf('--port', '--loglevel', 'verbose')).toBe('port "--loglevel" "verbose"')
})

test('a configuration that cannot be says which line is at fault', () => {
  const read = (text: string): void => void readConfigFile(new Configuration(), undefined, text)
  expect(() => read('port 1\nloglevel "--bla"')).toThrow(
    `line 2 of the configuration, 'loglevel "--bla"': argument(s) must be`,
  )
  expect(() => read('port 1 2')).toThrow(`'port 1 2': wrong number of arguments`)
  expect(() => read('replicaof a b')).toThrow('Invalid master port')
  expect(() => read('replicaof a 1')).toThrow('no replicas')
  expect(() => read('rename-command flushall ""')).toThrow('rules of users')
})

test('what a parameter is by itself may be another value, and then that is not written', () => {
  const configuration = new Configuration()
  configuration.assume({ save: '3600 1', hz: '20' })
  readConfigFile(configuration, undefined, 'save 900 1\nsave 60 5')
  expect(configuration.text('save')).toBe('900 1 60 5')
  expect(configuration.changed()).toEqual([['save', '900 1 60 5', true]])
  readConfigFile(configuration, undefined, 'save ""')
  expect(configuration.changed()).toEqual([['save', '', true]])
})
