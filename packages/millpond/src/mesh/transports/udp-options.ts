import { isIP } from 'node:net'
import { OptionError } from '../../core/errors.ts'
import { findInterface, groupOf, isLoopback, type NetworkInterface } from './network-interface.ts'
import { parseSeed, type SeedSource } from './seeds.ts'

/** Options of `UdpTransport`. */
export interface UdpTransportOptions {
  /** The name of the mesh: all its members give the same. The multicast group is derived from it. */
  readonly mesh: string
  /** Whether packets are sealed with a key. Without one, only the loopback is used, unless `insecure`. */
  readonly sealed: boolean
  /** Without a key, use other interfaces too: anybody on the network can then read and write. Default: false. */
  readonly insecure?: boolean
  /** The name (`'eth0'`) or address of the network interface. Default: the first that leads out of the machine; unsealed, the loopback. */
  readonly interface?: string
  /** The multicast group. Default: one in 239.192/14, or ff15::/16 where `interface` is an IPv6 address, derived from `mesh`. */
  readonly group?: string
  /** The UDP port of the group. Default: 47,100. */
  readonly port?: number
  /**
   * The own UDP port, which seeds name. Processes on one host need different ones. Default: 47,101 where there are `seeds`, else any
   * that is free.
   */
  readonly ownPort?: number
  /** The TCP port of streams. Default: any that is free. */
  readonly streamPort?: number
  /** How many routers a datagram to all may pass, and one more. Default: 1, it stays in its subnet. */
  readonly hopsMax?: number
  /** Where members may be found: see `SeedSource`. Default: none. */
  readonly seeds?: SeedSource
  /** How often names in `seeds` are resolved again, in milliseconds. Default: 5,000. */
  readonly seedsEveryMs?: number
  /**
   * How a datagram reaches all. `'multicast'`: one datagram to the group. `'fan-out'`: one to each member, for networks without
   * multicast, such as most clouds; needs `seeds`. `'auto'`: multicast to those who prove that they hear it, one by one to the others.
   * Default: `'auto'`.
   */
  readonly mode?: 'auto' | 'multicast' | 'fan-out'
  /**
   * The longest datagram, in bytes. Paths that take less, such as Ethernet (1,472), are found by probes. Up: fewer datagrams, and fewer of
   * them fit into the kernel's buffer. Default: 7,680: on Linux that fills a buffer of 8 KiB, and one byte more may take 16.
   */
  readonly datagramBytesMax?: number
  /** What the kernel is asked to keep for each socket until this process reads it, in bytes. Default: 4 MiB. */
  readonly bufferBytes?: number
  /** Is told what works less well than it could, and what to do. Default: nobody. */
  readonly warn?: (message: string) => void
}

/** Options with every default filled in. */
export interface WholeUdpOptions {
  readonly mesh: string
  readonly via: NetworkInterface
  readonly group: string
  readonly port: number
  readonly ownPort: number
  readonly streamPort: number
  readonly hopsMax: number
  readonly seeds: SeedSource
  readonly seedsEveryMs: number
  readonly mode: 'auto' | 'multicast' | 'fan-out'
  readonly datagramBytesMax: number
  readonly bufferBytes: number
  readonly warn: (message: string) => void
}

/** Throws `OptionError`, or `MeshError` where there is no such interface. */
export function wholeUdpOptions(options: UdpTransportOptions): WholeUdpOptions {
  const open = options.sealed || options.insecure === true
  const via = findInterface(options.interface, !open)
  if (!open && !isLoopback(via.address))
    throw new OptionError(
      'interface',
      options.interface,
      'without a key the mesh stays on the loopback; give a `key` (`openssl rand -base64 32`), or `insecure: true` where everybody on the network is trusted',
    )
  const seeds = seedsOf(options.seeds)
  const hasSeeds = 'file' in seeds || seeds.length > 0
  const mode = options.mode ?? 'auto'
  if (mode !== 'auto' && mode !== 'multicast' && mode !== 'fan-out')
    throw new OptionError('mode', mode, "give 'auto', 'multicast' or 'fan-out'")
  if (mode === 'fan-out' && !hasSeeds)
    throw new OptionError('seeds', seeds, "mode 'fan-out' needs to know where members may be found")
  if (via.address === '::1' && !hasSeeds)
    throw new OptionError('interface', via.address, 'the IPv6 loopback carries no multicast; give 127.0.0.1, or seeds')
  const port = count('port', options.port ?? 47_100, 1, 65_535)
  return Object.freeze({
    mesh: options.mesh,
    via,
    group: checkedGroup(options.group ?? groupOf(options.mesh, via.family), via.family),
    port,
    ownPort: count('ownPort', options.ownPort ?? (hasSeeds ? SEED_PORT : 0), 0, 65_535),
    streamPort: count('streamPort', options.streamPort ?? 0, 0, 65_535),
    hopsMax: count('hopsMax', options.hopsMax ?? 1, 1, 255),
    seeds,
    seedsEveryMs: count('seedsEveryMs', options.seedsEveryMs ?? 5000, 100, 86_400_000),
    mode,
    datagramBytesMax: count('datagramBytesMax', options.datagramBytesMax ?? 7680, DATAGRAM_BYTES_MIN, 65_507),
    bufferBytes: count('bufferBytes', options.bufferBytes ?? 4 * 1024 * 1024, 65_536, 2 ** 30),
    warn: options.warn ?? (() => {}),
  })
}

/** What every path is taken to carry: IPv6 promises 1,280 with its heads. */
export const DATAGRAM_BYTES_MIN = 1200
/** The port of seeds that name none. */
export const SEED_PORT = 47_101

function checkedGroup(group: string, family: 4 | 6): string {
  if (isIP(group) === family && GROUP[family].test(group)) return group
  throw new OptionError('group', group, `give a multicast address of IPv${family}, or none`)
}

const GROUP = { 4: /^(22[4-9]|23\d)\./, 6: /^ff/i } as const

function seedsOf(seeds: SeedSource = []): SeedSource {
  if (Array.isArray(seeds)) {
    for (const seed of seeds)
      if (typeof seed !== 'string' || !parseSeed(seed))
        throw new OptionError('seeds', seed, 'give an address or a name, with a port from 1 to 65535 or none')
  } else if (typeof (seeds as { file?: unknown } | null)?.file !== 'string') {
    throw new OptionError('seeds', seeds, 'give an array of addresses and names, or `{ file }`')
  }
  return seeds
}

function count(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new OptionError(option, value, `give a whole number from ${least} to ${most}`)
}
