import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6, type Server } from 'node:net'
import { MeshError } from '../../core/errors.ts'
import type { WholeUdpOptions } from './udp-options.ts'

/** The sockets of a transport, bound. */
export interface UdpSockets {
  /** Sends everything, so that answers come back to it; receives what is for this process alone. */
  readonly own: Socket
  /** Receives what is for the group, which several processes of a host share. */
  readonly group: Socket | undefined
  readonly streams: Server
}

/** Opens and binds them. Throws `MeshError` where a port is taken, or where mode is `'multicast'` and there is none. */
export async function openSockets(options: WholeUdpOptions): Promise<UdpSockets> {
  const { via, ownPort, streamPort } = options
  const streams = createServer({ allowHalfOpen: true })
  streams.maxConnections = STREAMS_MAX
  const own = udpSocket(options, false)
  let group: Socket | undefined
  try {
    await bound(streams, `TCP port ${streamPort} of ${via.address}; give another streamPort`, () =>
      streams.listen(streamPort, via.address),
    )
    await bound(own, `UDP port ${ownPort} of ${via.address}; give each process of a host another ownPort`, () =>
      own.bind(ownPort, via.address),
    )
    group = options.mode === 'fan-out' ? undefined : await joinGroup(options, own)
    for (const socket of group ? [own, group] : [own]) checkBuffer(socket, options)
    return { own, group, streams }
  } catch (error) {
    streams.close()
    own.close()
    throw error
  }
}

async function joinGroup(options: WholeUdpOptions, own: Socket): Promise<Socket | undefined> {
  const { via, group, port, hopsMax, mode, warn } = options
  const socket = udpSocket(options, true)
  try {
    // Bound to the group, Linux hands over only what is for it. Others cannot bind so, and packets tell the meshes apart.
    const address = process.platform === 'linux' ? group : undefined
    await bound(socket, `UDP port ${port} for the group ${group}`, () => socket.bind(port, address))
    const interfaceName = isIPv6(via.address) ? `::%${via.name}` : via.address
    socket.addMembership(group, interfaceName)
    own.setMulticastInterface(interfaceName)
    own.setMulticastTTL(hopsMax)
    own.setMulticastLoopback(true)
    return socket
  } catch (cause) {
    socket.close()
    const reason = `the group ${group} cannot be joined on ${via.name} (${via.address})`
    if (mode === 'multicast')
      throw new MeshError(`${reason}; give another interface, or seeds and mode 'fan-out'`, { cause })
    warn(`${reason}: ${String(cause)}; members are reached one by one`)
    return undefined
  }
}

function udpSocket({ via, bufferBytes }: WholeUdpOptions, reuseAddr: boolean): Socket {
  return createSocket({
    type: via.family === 6 ? 'udp6' : 'udp4',
    reuseAddr,
    recvBufferSize: bufferBytes,
    sendBufferSize: bufferBytes,
    // Only addresses are sent to: they need no look-up, which would cost a turn for each datagram.
    lookup: (host, _options, found) => found(null, host, via.family),
  })
}

async function bound(socket: Socket | Server, what: string, bind: () => void): Promise<void> {
  try {
    // Asked before: where nothing has to be looked up, a socket listens at once.
    const listening = once(socket, 'listening')
    bind()
    await listening
  } catch (cause) {
    throw new MeshError(`cannot listen on ${what}`, { cause })
  }
}

/** Linux counts twice what it grants, for its own bookkeeping. */
function checkBuffer(socket: Socket, { bufferBytes, warn }: WholeUdpOptions): void {
  const granted = socket.getRecvBufferSize()
  if (granted < bufferBytes)
    warn(
      `the kernel grants ${granted} of ${bufferBytes} bytes for datagrams that wait, so bursts are lost and sent again; ` +
        `raise net.core.rmem_max to ${bufferBytes} with sysctl`,
    )
}

/** Connections at once: members that repair, and strangers. */
const STREAMS_MAX = 64
