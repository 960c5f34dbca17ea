import { once } from 'node:events'
import net from 'node:net'
import { expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../server.ts'

async function withServer(run: (server: RunningServer, socket: net.Socket) => Promise<void>): Promise<void> {
  const server = await startServer({ ports: { port: 0 }, capacity: 64 * 2 ** 20 })
  const socket = net.connect({ port: server.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    await run(server, socket)
  } finally {
    socket.destroy()
    await server.close()
  }
}

/** What comes until it ends with `end`. */
async function answer(socket: net.Socket, end: string): Promise<string> {
  let text = ''
  while (!text.endsWith(end)) text += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  return text
}

test('a pipeline is answered in order, around a command that waits', async () => {
  await withServer(async (server, socket) => {
    socket.write('SET a 1\r\nBLPOP list 0\r\nGET a\r\n')
    expect(await answer(socket, 'OK\r\n')).toBe('+OK\r\n')
    const other = net.connect({ port: server.port, host: '127.0.0.1' })
    other.write('RPUSH list x\r\n')
    expect(await answer(socket, '$1\r\n1\r\n')).toBe('*2\r\n$4\r\nlist\r\n$1\r\nx\r\n$1\r\n1\r\n')
    other.destroy()
  })
})

test('what a command that has waited tells its own client follows its answer', async () => {
  await withServer(async (server, socket) => {
    socket.write('HELLO 3\r\nCLIENT TRACKING ON\r\nLRANGE to 0 -1\r\nBLMOVE from to LEFT LEFT 0\r\n')
    await answer(socket, '+OK\r\n*0\r\n')
    const other = net.connect({ port: server.port, host: '127.0.0.1' })
    other.write('RPUSH from x\r\n')
    expect(await answer(socket, '$2\r\nto\r\n')).toBe('$1\r\nx\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nto\r\n')
    other.destroy()
  })
})

test('a value of megabytes goes in and out whole', async () => {
  await withServer(async (_server, socket) => {
    const value = Buffer.alloc(5_000_000, 'v').toString()
    socket.write(
      `*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n${value}\r\n*2\r\n$3\r\nGET\r\n$3\r\nbig\r\nPING\r\n`,
    )
    expect(await answer(socket, '+PONG\r\n')).toBe(`+OK\r\n$${value.length}\r\n${value}\r\n+PONG\r\n`)
  })
})

test('CLIENT REPLY OFF silences answers, not messages; ON is answered', async () => {
  await withServer(async (server, socket) => {
    socket.write(
      'CLIENT REPLY OFF\r\nSET a 1\r\nGET a\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nGET a\r\nHELLO 3\r\nPING\r\n',
    )
    expect(await answer(socket, '+PONG\r\n')).toMatch(/^\+OK\r\n%\d+\r\n/)
    socket.write('CLIENT REPLY OFF\r\nSUBSCRIBE news\r\n')
    expect(await answer(socket, ':1\r\n')).toBe('>3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n')
    server.service.channels.publish('channel', 'news', 'hi')
    expect(await answer(socket, 'hi\r\n')).toBe('>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n')
  })
})

test('a peer that speaks no protocol is told so and cut off, although it goes on sending', async () => {
  await withServer(async (_server, socket) => {
    socket.write('*1\r\nnonsense\r\n')
    expect(await answer(socket, '\r\n')).toBe("-ERR Protocol error: expected '$', got 'n'\r\n")
    const closed = once(socket, 'close')
    const timer = setInterval(() => socket.write('more'), 1)
    await closed
    clearInterval(timer)
  })
})

test('who does not read what it listens to is cut off at the hard limit', async () => {
  await withServer(async (server, socket) => {
    const { service } = server
    service.configuration.set([['client-output-buffer-limit', 'pubsub 1mb 0 0']])
    socket.write('SUBSCRIBE news\r\n')
    await answer(socket, ':1\r\n')
    socket.pause()
    const message = 'm'.repeat(100_000)
    const publish = () => {
      for (let count = 0; count < 20; count++) service.channels.publish('channel', 'news', message)
      return service.clients.size
    }
    await expect.poll(publish, { timeout: 10_000, interval: 5 }).toBe(0)
  })
})

test('maxclients: one too many is told so', async () => {
  await withServer(async (server) => {
    server.service.configuration.set([['maxclients', '1']])
    const late = net.connect({ port: server.port, host: '127.0.0.1' })
    expect(await answer(late, '\r\n')).toBe('-ERR max number of clients reached\r\n')
    late.destroy()
  })
})

test('CONFIG SET port moves the server; connections that are there stay, and a port that is taken changes nothing', async () => {
  await withServer(async (server, socket) => {
    const free = net.createServer()
    await once(free.listen(0, '127.0.0.1'), 'listening')
    const { port } = free.address() as net.AddressInfo
    socket.write(`CONFIG SET port ${port}\r\n`)
    expect(await answer(socket, '\r\n')).toContain('Unable to listen on this port')
    free.close()
    await once(free, 'close')
    socket.write(`CONFIG SET port ${port}\r\n`)
    expect(await answer(socket, '\r\n')).toBe('+OK\r\n')
    const moved = net.connect({ port, host: '127.0.0.1' })
    moved.write('PING\r\n')
    expect(await answer(moved, '\r\n')).toBe('+PONG\r\n')
    moved.destroy()
    const before = net.connect({ port: server.port, host: '127.0.0.1' })
    expect(await once(before, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
  })
})
