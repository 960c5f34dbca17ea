import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPortFree } from './port.ts'
import { type RedisServer, redisPrograms, redisVersion, startRedis } from './redis.ts'
import { ask } from './resp.ts'

describe.each(redisPrograms())('a throw-away %s', (program) => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ program })
  })
  afterAll(() => server.destroy())

  test(`answers on its port, as ${redisVersion(program)}`, async () => {
    expect(await server.command('SET', 'name', 'Grüße')).toBe('OK')
    expect(await server.command('STRLEN', 'name')).toBe(7)
    expect(await server.info('process_id')).toBe(String(server.pid))
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`)
  })

  test('starts empty on the same port after a stop and after kill -9', async () => {
    const { port, pid } = server
    await server.command('SET', 'kept', '1')
    await server.kill9()
    await expect(server.command('PING')).rejects.toThrow('ECONNREFUSED')
    expect(server.pid).toBe(0)
    await server.restart()
    expect(await server.command('EXISTS', 'kept')).toBe(0)
    expect(server.port).toBe(port)
    expect(server.pid).not.toBe(pid)
    await server.restart()
    expect(await server.command('PING')).toBe('PONG')
  })

  test('takes connections while it is paused, answers when it goes on, and can be stopped meanwhile', async () => {
    server.pause()
    const answer = server.command('PING')
    const socket = net.connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    server.resume()
    expect(await answer).toBe('PONG')
    socket.destroy()
    server.pause()
    await server.stop()
    await server.restart()
    expect(await server.command('PING')).toBe('PONG')
  })

  test('takes arguments, which win over those of the launcher, and a password', async () => {
    await using guarded = await startRedis({ program, password: 'pond', args: ['--maxmemory', '10mb'] })
    expect(await guarded.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '10485760'])
    expect(guarded.url).toBe(`redis://:pond@127.0.0.1:${guarded.port}`)
    await expect(ask({ port: guarded.port }, 'PING')).rejects.toThrow('NOAUTH')
  })

  test('runs beside others', async () => {
    const others = await Promise.all([1, 2, 3, 4].map(() => startRedis({ program })))
    expect(new Set(others.map(({ port }) => port)).size).toBe(4)
    expect(await Promise.all(others.map((other) => other.command('PING')))).toEqual(Array(4).fill('PONG'))
    await Promise.all(others.map((other) => other.destroy()))
  })

  test('leaves nothing behind', async () => {
    const { dir, port } = server
    await server.destroy()
    await server.destroy()
    expect(existsSync(dir)).toBe(false)
    expect(await isPortFree(port)).toBe(true)
  })
})

test('an argument that the server refuses is reported in its own words', async () => {
  await expect(startRedis({ args: ['--maxmemory', 'much'] })).rejects.toThrow('maxmemory')
})

test('a server does not outlive a process that is killed, paused or not, nor does its folder', async () => {
  const module = new URL('./redis.ts', import.meta.url).href
  const script = `const { startRedis } = await import(${JSON.stringify(module)})
    const server = await startRedis(); await server.kill9(); await server.restart(); server.pause()
    console.log(JSON.stringify([server.pid, server.dir])); setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const [pid, dir] = JSON.parse(String(line)) as [number, string]
  expect(() => process.kill(pid, 0)).not.toThrow()
  owner.kill('SIGKILL')
  await expect.poll(() => isRunning(pid) || existsSync(dir), { timeout: 10_000 }).toBe(false)
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
