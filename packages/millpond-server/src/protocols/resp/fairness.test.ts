import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestClient } from '../../commands/testing.ts'
import { type RunningServer, startServer } from '../../server.ts'

const MANY = 2000

let server: RunningServer

beforeEach(async () => {
  server = await startServer({ ports: { port: 0 } })
})

afterEach(() => server.close())

/** A connection, and all that has come. */
async function connect(): Promise<{ readonly socket: net.Socket; readonly text: () => string }> {
  const socket = net.connect({ port: server.port, host: '127.0.0.1' }).setEncoding('latin1')
  let text = ''
  socket.on('data', (more: string) => void (text += more))
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, text: () => text }
}

function calls(name: string): number {
  const { statistics, commands } = server.service
  return statistics.calls[commands.named(name)!.id]!
}

test.each([
  ['slow commands', `EVAL "for i=1,20000 do end return 1" 0\r\n`],
  ['many words', `MGET${' key'.repeat(3000)}\r\n`],
])('%s in one read: who comes later is answered before the last of them', async (_, command) => {
  const [hog, polite] = [await connect(), await connect()]
  hog.socket.write(command.repeat(command.length > 1000 ? 20 : MANY))
  const name = command.split(' ')[0]!.toLowerCase()
  await expect.poll(() => calls(name), { interval: 1 }).toBeGreaterThan(0)
  const before = calls(name)
  polite.socket.write('PING\r\n')
  await expect.poll(() => polite.text(), { interval: 1 }).toBe('+PONG\r\n')
  const total = command.length > 1000 ? 20 : MANY
  expect(before).toBeLessThan(total)
  expect(calls(name)).toBeLessThan(total)
  await expect.poll(() => calls(name), { timeout: 20_000 }).toBe(total)
  hog.socket.destroy()
  polite.socket.destroy()
})

test('answers come whole and in order, however often the connection has had to wait', async () => {
  const { socket, text } = await connect()
  const commands = Array.from({ length: MANY }, (_, at) =>
    at % 3 === 0 ? `EVAL "for i=1,2000 do end return ARGV[1]" 0 ${at}\r\n` : `ECHO ${at}\r\n`,
  )
  // In pieces that end anywhere, while others of it are being executed.
  const bytes = commands.join('')
  for (let from = 0; from < bytes.length; from += 7919) socket.write(bytes.slice(from, from + 7919))
  const expected = Array.from({ length: MANY }, (_, at) => `$${String(at).length}\r\n${at}\r\n`).join('')
  await expect.poll(() => text().length, { timeout: 20_000 }).toBe(expected.length)
  expect(text()).toBe(expected)
  socket.destroy()
})

test('who leaves in the middle is not gone on with', async () => {
  const { socket } = await connect()
  socket.write(`${`EVAL "for i=1,200000 do end return 1" 0\r\n`.repeat(MANY)}SUBSCRIBE channel\r\n`)
  await expect.poll(() => calls('eval'), { interval: 1 }).toBeGreaterThan(0)
  socket.destroy()
  await expect.poll(() => server.service.clients.size).toBe(0)
  const after = calls('eval')
  expect(after).toBeLessThan(MANY)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(calls('eval')).toBe(after)
  expect(server.service.channels.names('channel')).toEqual([])
})

test('bytes that come and go are counted against the quota of a cache', async () => {
  const admin = new TestClient(server.service)
  expect(admin.say('cache update default bytes-in 1000')).toBe('OK')
  const { socket, text } = await connect()
  socket.write(`SET key ${'x'.repeat(5000)}\r\n`)
  await expect
    .poll(text)
    .toMatch(/^-LIMIT cache 'default' has used up its 1000 bytes in a second; try again in \d+ ms\r\n$/)
  expect(admin.say('cache update default bytes-in 0 bytes-out 1000')).toBe('OK')
  socket.write(`SET key ${'x'.repeat(5000)}\r\nGET key\r\n`)
  await expect.poll(() => text().length).toBeGreaterThan(5000)
  socket.write('GET key\r\n')
  await expect.poll(text).toMatch(/-LIMIT .*1000 bytes out a second/)
  socket.destroy()
})
