import { hostname } from 'node:os'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Duration, durationMs } from '../core/duration.ts'
import { OptionError } from '../core/errors.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import { type Size, sizeBytes } from '../core/size.ts'
import type { Transport } from '../core/transport.ts'
import type { LinkLimits } from './link/settings.ts'
import { Keyring, type MeshKey } from './security/keyring.ts'
import type { UdpTransportOptions } from './transports/udp-options.ts'
import { VALUE_BYTES_MAX } from './wire/value-codec.ts'

/** How datagrams and streams travel: what `UdpTransport` takes beyond what the mesh itself says. */
export type MeshNetwork = Omit<UdpTransportOptions, 'mesh' | 'sealed' | 'insecure' | 'warn'>

/**
 * How a process joins a mesh. What is not given here is taken from the environment (`MILLPOND_MESH_NAME`, `MILLPOND_MESH_KEY` …), then
 * from the file that `MILLPOND_MESH_FILE` names, then from `"millpond": { "mesh": { … } }` of package.json.
 */
export interface MeshOptions {
  /** The name of the mesh: all its processes give the same. Several may share a network. */
  readonly name?: string
  /** What this process calls itself, for people. Who restarts with its name replaces its former self at once; if both run, both count. Default: host and process id. */
  readonly peer?: string
  /** The key that all processes share, 32 bytes (`openssl rand -base64 32`); several while it is changed, the first seals. Default: none. */
  readonly key?: MeshKey | readonly MeshKey[] | undefined
  /** Without a key, leave the machine all the same: whoever is on the network can read and write. Default: false. */
  readonly insecure?: boolean
  /** The network: options of UDP, or a transport of your own. Default: UDP by multicast. */
  readonly transport?: Transport | MeshNetwork
  /** How long `joinMesh` waits for what the peers hold. Up: fewer misses at the start. Down: a faster start. Default: `'1s'`. */
  readonly joinTimeout?: Duration
  /** A peer's clock that is ahead by more than that is not followed. Default: `'500ms'`. */
  readonly maxDrift?: Duration
  /** How long deletions are remembered. Who was away for longer starts afresh. Up: longer partitions, more memory. Default: `'10m'`. */
  readonly tombstoneTtl?: Duration
  /** How many of them each map remembers. Default: 100,000. */
  readonly maxTombstones?: number
  /**
   * Join to look only: the process is a peer among the others, and can ask them for their status, but takes over nothing, is compared with
   * nobody, and opens no map. Default: false.
   */
  readonly observe?: boolean
  /** The longest value, encoded. At most, and by default, `'16mb'`. */
  readonly maxValue?: Size
  /** Sizes of queues; see `LinkLimits`. */
  readonly limits?: LinkLimits
  /** Default: the machine's. */
  readonly clock?: Clock
  /** Default: says nothing. */
  readonly logger?: Logger
  /** Default: `Math.random`. */
  readonly random?: Random
}

/** Options with every default filled in, checked and frozen. */
export interface WholeMeshOptions {
  readonly name: string
  readonly peer: string
  readonly keyring: Keyring
  readonly insecure: boolean
  readonly observes: boolean
  readonly transport: Transport | MeshNetwork
  readonly joinMs: number
  readonly driftMsMax: number
  readonly tombstoneMs: number
  readonly tombstonesMax: number
  readonly valueBytesMax: number
  readonly limits: LinkLimits
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
}

/** @throws OptionError (`ERR_OPTION`) naming the option that cannot be used */
export function wholeMeshOptions(options: MeshOptions): WholeMeshOptions {
  const { name, key = [], maxTombstones = 100_000 } = options
  if (typeof name !== 'string' || name === '' || name.length > 200) {
    throw new OptionError('name', name, 'give the name of the mesh, up to 200 characters, or set MILLPOND_MESH_NAME')
  }
  if (!(Number.isInteger(maxTombstones) && maxTombstones >= 1)) {
    throw new OptionError('maxTombstones', maxTombstones, 'give a whole number from 1 up')
  }
  const valueBytesMax = sizeBytes(options.maxValue ?? VALUE_BYTES_MAX, 'maxValue')
  if (valueBytesMax > VALUE_BYTES_MAX) throw new OptionError('maxValue', options.maxValue, "give at most '16mb'")
  return Object.freeze({
    name,
    peer: peerOf(options.peer),
    keyring: new Keyring(Array.isArray(key) ? key : [key as MeshKey]),
    insecure: flag('insecure', options.insecure),
    observes: flag('observe', options.observe),
    transport: options.transport ?? {},
    joinMs: durationMs(options.joinTimeout ?? 1000, 'joinTimeout'),
    driftMsMax: durationMs(options.maxDrift ?? 500, 'maxDrift'),
    tombstoneMs: Math.max(1000, durationMs(options.tombstoneTtl ?? '10m', 'tombstoneTtl')),
    tombstonesMax: maxTombstones,
    valueBytesMax,
    limits: options.limits ?? {},
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    random: options.random ?? Math.random,
  })
}

function peerOf(peer: string | undefined): string {
  if (peer === undefined) return `${hostname()}:${process.pid}`
  if (typeof peer === 'string') return peer
  throw new OptionError('peer', peer, 'give a text')
}

function flag(option: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new OptionError(option, value, 'give true or false')
}
