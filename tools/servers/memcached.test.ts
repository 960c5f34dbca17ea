import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startMemcached, startMemcacheds } from './memcached.ts'

test('a throw-away Memcached answers, and is empty on the same port after kill -9', async () => {
  const server = await startMemcached({ args: ['-m', '8'] })
  expect(await server.command('set k 0 0 1\r\nv')).toEqual(['STORED'])
  expect(await server.command('get k')).toEqual(['VALUE k 0 1', 'v', 'END'])
  expect(await server.command('stats')).toContain(`STAT limit_maxbytes ${8 << 20}`)
  expect(await server.command('stats')).toContain(`STAT pid ${server.pid}`)
  await server.kill9()
  await expect(server.command('get k')).rejects.toThrow('ECONNREFUSED')
  await server.restart()
  expect(await server.command('get k')).toEqual(['END'])
  expect(server.address).toBe(`127.0.0.1:${server.port}`)
  await server.destroy()
  expect(existsSync(server.dir)).toBe(false)
})

test('a password is asked for', async () => {
  await using server = await startMemcached({ password: 'pond' })
  expect(await server.command('set k 0 0 1\r\nv')).toEqual(['STORED'])
  await using other = await startMemcached({ port: server.port + 1 }).catch(() => startMemcached())
  expect(other.port).not.toBe(server.port)
})

test('several run beside each other', async () => {
  const servers = await startMemcacheds(3)
  expect(new Set(servers.map(({ port }) => port)).size).toBe(3)
  await Promise.all(servers.map((server) => server.destroy()))
})

test('an argument that the server refuses is reported in its own words', async () => {
  await expect(startMemcached({ args: ['-m', 'much', '--no-such-thing'] })).rejects.toThrow('no-such-thing')
})
