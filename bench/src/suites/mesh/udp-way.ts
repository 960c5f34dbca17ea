/** Raw UDP multicast on loopback: a value a datagram, unsealed, nothing repaired. The floor of what the mesh can reach. */
import { createSocket, type Socket } from 'node:dgram'
import type { OpenWay, Way } from './way.ts'

const GROUP = '239.77.77.1'
const LOOPBACK = '127.0.0.1'

export const openUdpWay: OpenWay<{ port: number }> = async ({ port }) => {
  const heard = createSocket({ type: 'udp4', reuseAddr: true, recvBufferSize: 4 << 20 })
  await bound(heard, port)
  heard.addMembership(GROUP, LOOPBACK)
  const own = createSocket('udp4')
  await bound(own, 0, LOOPBACK)
  own.setMulticastInterface(LOOPBACK)
  const ownPort = own.address().port
  const way: Way = {
    onValue: undefined,
    set: (key, text) => own.send(`${key}=${text}`, port, GROUP),
    async close() {
      heard.close()
      own.close()
    },
  }
  heard.on('message', (bytes, from) => {
    if (from.port === ownPort) return
    const text = bytes.toString('latin1')
    way.onValue?.(text.slice(text.indexOf('=') + 1))
  })
  return way
}

function bound(socket: Socket, port: number, host?: string): Promise<void> {
  return new Promise((resolve) => socket.bind(port, host, () => resolve()))
}
