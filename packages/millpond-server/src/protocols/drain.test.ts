import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { drain } from './drain.ts'

/** More than the buffers of two sockets hold. */
const MUCH = Buffer.alloc(64 * 1024 * 1024)

test('who reads is given all that was answered, and who does not is cut off', async () => {
  const accepted = new Set<Socket>()
  const server = createServer((socket) => {
    accepted.add(socket)
    socket.on('error', () => {})
    socket.write(MUCH)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const join = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [reader, sleeper] = [join(), join()]
  await expect.poll(() => accepted.size).toBe(2)
  sleeper.on('error', () => {}).pause()
  let read = 0
  reader.on('data', (bytes) => void (read += bytes.length))
  try {
    const ended = once(reader, 'end')
    await drain(accepted, (socket) => socket.destroySoon())
    await ended
    expect(read).toBe(MUCH.length)
    expect([...accepted].map(({ destroyed }) => destroyed)).toEqual([true, true])
  } finally {
    for (const socket of [reader, sleeper]) socket.destroy()
    server.close()
  }
})
