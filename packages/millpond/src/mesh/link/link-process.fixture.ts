/** A process for processes.test.ts: a link over UDP on loopback that does what its parent says, and tells what it knows. */
import { systemClock } from '../../core/clock.ts'
import { Keyring } from '../security/keyring.ts'
import { PacketSealer } from '../security/packet-sealer.ts'
import { StreamSealer } from '../security/stream-sealer.ts'
import { UdpTransport } from '../transports/udp.ts'
import { newPeerId } from '../wire/peer-id.ts'
import { openLink } from './open-link.ts'

/** What the parent asks for. */
export type Order =
  | { readonly do: 'send'; readonly count: number; readonly bytes: number }
  | { readonly do: 'tell' }
  | { readonly do: 'leave' }

/** What it is told. */
export interface Told {
  readonly id: number
  readonly peers: readonly { readonly id: number; readonly name: string; readonly state: string }[]
  /** How many messages of each peer came once, and how many came again. */
  readonly got: Readonly<Record<string, { readonly once: number; readonly again: number }>>
  readonly acknowledged: boolean
}

const [mesh, name] = process.argv.slice(2) as [string, string]
const id = newPeerId()
const keyring = new Keyring([Buffer.alloc(32, mesh)])
const got = new Map<number, Uint8Array>()

const link = await openLink(
  {
    transport: new UdpTransport({ mesh, sealed: true, interface: '127.0.0.1' }),
    sealer: new PacketSealer(id, mesh, keyring, systemClock),
    streams: new StreamSealer(id, mesh, keyring, systemClock),
    clock: systemClock,
    random: Math.random,
    name,
  },
  {
    message(from, body) {
      let counts = got.get(from)
      if (!counts) got.set(from, (counts = new Uint8Array(100_000)))
      counts[Buffer.from(body.buffer, body.byteOffset).readUInt32LE(0)]!++
    },
    hint() {},
    room() {},
    peer() {},
    lost() {},
    stream(_, stream) {
      stream.destroy()
    },
  },
)

let next = 0

async function send(count: number, bytes: number): Promise<void> {
  const body = Buffer.alloc(bytes)
  for (let left = count; left > 0; ) {
    for (let burst = 32; burst > 0 && left > 0 && link.room() > 0; burst--, left--) {
      body.writeUInt32LE(next++, 0)
      link.send(body)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function tell(): Told {
  const counted = [...got].map(([from, counts]) => {
    const once = counts.filter((times) => times === 1).length
    return [from, { once, again: counts.filter((times) => times > 1).length }] as const
  })
  const peers = link.peers().map(({ id, name, state }) => ({ id, name, state }))
  return { id, peers, got: Object.fromEntries(counted), acknowledged: link.acknowledged() === link.sent() }
}

async function obey(order: Order): Promise<void> {
  if (order.do === 'send') await send(order.count, order.bytes)
  else if (order.do === 'leave') {
    await link.leave()
    process.disconnect()
    return
  }
  process.send?.(tell())
}

process.on('message', (order: Order) => void obey(order))
process.on('disconnect', () => process.exit())
process.send?.(tell())
