import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { MeshError } from '../../core/errors.ts'

/** The network interface that a mesh uses. */
export interface NetworkInterface {
  readonly name: string
  readonly address: string
  readonly family: 4 | 6
  readonly internal: boolean
  /** The longest datagram that it sends in one piece: its MTU without the heads of IP and UDP. */
  readonly datagramBytesMax: number
}

/**
 * Finds an interface by its name or one of its addresses; without either, the first that leads out of this machine,
 * or, where there is none or `inside` is asked for, the loopback. Throws `MeshError` where it does not exist.
 */
export function findInterface(wanted: string | undefined, inside: boolean): NetworkInterface {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(
      ({ address, family, internal }) => ({ name, address, internal, family: family === 'IPv6' ? 6 : 4 }) as const,
    ),
  )
  // Every address of 127/8 is the loopback's own.
  if (wanted?.startsWith('127.')) all.push({ name: 'lo', address: wanted, internal: true, family: 4 })
  const found =
    wanted === undefined
      ? (all.find(({ family, internal }) => family === 4 && internal === inside) ??
        all.find(({ family, internal }) => family === 4 && internal))
      : (all.find(({ address }) => address === wanted) ??
        all.find(({ name, family }) => name === wanted && family === 4) ??
        all.find(({ name }) => name === wanted))
  if (!found)
    throw new MeshError(`there is no network interface ${wanted ?? 'at all'}; give the name or address of one`)
  const headBytes = found.family === 4 ? 28 : 48
  return { ...found, datagramBytesMax: mtuOf(found.name) - headBytes }
}

/**
 * The multicast group of a mesh's name: in 239.192/14 (RFC 2365, organization-local scope), or in ff15::/16 (site-local,
 * not permanent). Names that share one by chance are told apart by their packets.
 */
export function groupOf(mesh: string, family: 4 | 6): string {
  const hash = createHash('sha256').update(`millpond mesh group\0${mesh}`).digest()
  if (family === 4) return `239.${192 + (hash[0]! & 3)}.${hash[1]}.${1 + (hash[2]! % 254)}`
  return `ff15::${hash.readUInt16BE(0).toString(16)}:${hash.readUInt16BE(2).toString(16)}`
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

/** Only Linux tells; elsewhere what Ethernet has. */
function mtuOf(name: string): number {
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8'))
    return mtu >= 576 ? Math.min(mtu, 65_535) : ETHERNET_MTU
  } catch {
    return ETHERNET_MTU
  }
}

const ETHERNET_MTU = 1500
