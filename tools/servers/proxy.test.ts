import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CommandCounter } from './command-counter.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'

let echo: net.Server
let proxy: FaultyProxy
let clients: net.Socket[]
beforeEach(async () => {
  clients = []
  echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startProxy(echo.address() as net.AddressInfo)
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  await proxy.close()
  echo.close()
})

test('bytes pass both ways, and an end comes after them', async () => {
  const client = await connect()
  expect(await said(client, 'hello')).toBe('hello')
  client.socket.end('bye')
  await once(client.socket, 'close')
  expect(client.heard()).toBe('hellobye')
  await expect.poll(() => proxy.connections).toBe(0)
})

test('what is swallowed never arrives, and healing resets the connection that lost it, and no other', async () => {
  const [harmed, idle] = [await connect(), await connect()]
  proxy.swallow()
  harmed.socket.write('lost')
  const late = await connect()
  await expect.poll(() => proxy.connections).toBe(3)
  await settle()
  expect([harmed.heard(), harmed.socket.closed]).toEqual(['', false])
  await proxy.heal()
  await expect.poll(() => harmed.socket.closed).toBe(true)
  expect(await said(idle, 'still here')).toBe('still here')
  expect(await said(late, 'me too')).toBe('me too')
})

test('one direction is swallowed alone', async () => {
  const client = await connect()
  proxy.swallow('toClient')
  client.socket.write('*1\r\n$4\r\nPING\r\n')
  await expect.poll(() => proxy.commands()).toEqual({ PING: 1 })
  await settle()
  expect(client.heard()).toBe('')
})

test('what is abandoned stays silent for ever, and new connections pass', async () => {
  const first = await connect()
  proxy.abandon()
  first.socket.write('x')
  expect(await said(await connect(), 'hello')).toBe('hello')
  await proxy.heal()
  await settle()
  expect([first.heard(), first.socket.closed]).toEqual(['', false])
})

test('what is held arrives when it heals, in its order', async () => {
  const client = await connect()
  proxy.hold()
  client.socket.write('one ')
  await settle()
  client.socket.write('two')
  expect(client.heard()).toBe('')
  await proxy.heal()
  await expect.poll(client.heard).toBe('one two')
})

test('what is delayed keeps its order when the delay gets shorter', async () => {
  const client = await connect()
  proxy.delay(60)
  const start = performance.now()
  client.socket.write('slow ')
  await settle()
  proxy.delay(0)
  client.socket.write('quick')
  await expect.poll(client.heard).toBe('slow quick')
  expect(performance.now() - start).toBeGreaterThanOrEqual(59)
})

test('a cut resets and refuses until it heals; a reset lets new connections in', async () => {
  const first = await connect()
  await proxy.cut()
  await expect.poll(() => first.socket.closed).toBe(true)
  await expect(connect()).rejects.toThrow('ECONNREFUSED')
  await proxy.heal()
  const second = await connect()
  proxy.reset()
  await expect.poll(() => second.socket.closed).toBe(true)
  expect(await said(await connect(), 'again')).toBe('again')
})

test('a connection that the server resets ends for the client too', async () => {
  const accepted = once(echo, 'connection')
  const client = await connect()
  const [socket] = (await accepted) as [net.Socket]
  socket.resetAndDestroy()
  await expect.poll(() => client.socket.closed).toBe(true)
})

test('commands of both protocols are counted, however the bytes are cut', () => {
  const counter = new CommandCounter()
  const redis = counter.stream()
  const memcached = counter.stream()
  for (const byte of '*3\r\n$3\r\nset\r\n$1\r\nk\r\n$9\r\n*1\r\n$1\r\nx\r\n*1\r\n$4\r\nPING\r\n')
    redis(Buffer.from(byte))
  for (const byte of 'gets k\r\ncas k 0 0 5 7\r\nget k\r\nms k 3 T5\r\nabc\r\nmn\r\n') memcached(Buffer.from(byte))
  expect(counter.counts()).toEqual({ SET: 1, PING: 1, GETS: 1, CAS: 1, MS: 1, MN: 1 })
  counter.forget()
  expect(counter.counts()).toEqual({})
})

interface Client {
  readonly socket: net.Socket
  heard(): string
}

async function connect(): Promise<Client> {
  const socket = net.connect(proxy.port, '127.0.0.1')
  clients.push(socket)
  let text = ''
  socket.on('data', (bytes) => (text += String(bytes)))
  await once(socket, 'connect')
  socket.on('error', () => {})
  return { socket, heard: () => text }
}

async function said(client: Client, text: string): Promise<string> {
  client.socket.write(text)
  await expect.poll(client.heard).toContain(text)
  return client.heard()
}

/** Long enough for bytes that are free to go to arrive. */
async function settle(): Promise<void> {
  const probe = net.connect((echo.address() as net.AddressInfo).port, '127.0.0.1')
  probe.write('x')
  await once(probe, 'data')
  probe.destroy()
  await new Promise((resolve) => setTimeout(resolve, 10))
}
