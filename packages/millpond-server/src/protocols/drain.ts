/** The end of connections: what was answered goes out, and who does not read it is not waited for without end. */
import type { Socket } from 'node:net'

const DRAIN_MS = 2000

/**
 * Resolves when all are closed.
 *
 * @param end ends one of them when its peer has what was answered; those that are still there after 2 s are cut off
 */
export async function drain(sockets: Iterable<Socket>, end: (socket: Socket) => void): Promise<void> {
  const open = [...sockets]
  const closed = open.map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())))
  for (const socket of open) end(socket)
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy()
  }, DRAIN_MS)
  await Promise.all(closed)
  clearTimeout(timer)
}
