/** A process of the suite `mesh`: joins, writes and measures as it is told. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { joinMesh, type Mesh, type MeshMap, UdpTransport } from 'millpond/mesh'
import { type FaultyTransport, faultyTransport } from 'millpond/testing'
import type { Serve } from '../../remote.ts'
import { type Latencies, LatencyLog, stamped, type WriteOptions, writeEvenly } from './latency.ts'
import { openRedisWay } from './redis-way.ts'
import { openUdpWay } from './udp-way.ts'
import type { Way } from './way.ts'

export interface PeerOptions {
  readonly way: 'mesh' | 'udp' | 'redis'
  /** Of the group, or of the Redis server. */
  readonly port: number
  /** Of the mesh. */
  readonly name: string
  readonly peer: string
  readonly seed: number
}

/** What a process of the suite does when it is told: `Remote` calls these. */
export type PeerService = {
  /** Where others reach it, to cut them off. */
  address(): { host: string; port: number }
  /** Peers that it holds for alive. */
  alive(): number
  /** Starts to note the ages of values that others write. */
  listen(): void
  heard(): Latencies
  write(options: WriteOptions): Promise<number>
  /** Writes as fast as it is taken, for so long. */
  flood(options: { seconds: number; keys: number; bytes: number }): Promise<{ written: number; seconds: number }>
  /** Sets so many keys of its own, at once. */
  fill(options: { count: number; bytes: number; prefix: string }): Promise<void>
  remove(options: { count: number; prefix: string }): Promise<void>
  state(): Promise<PeerReport>
  faults(faults: { loss?: number; cutPorts?: readonly number[] }): void
  /** Measures from now on how long the event loop is held; it wakes the process every millisecond, so an idle one is not watched. */
  watchLoop(): void
  /** Holds the event loop. */
  block(ms: number): void
  settled(): Promise<void>
  /** How long joining took, until it had what the others hold. */
  joinMs(): number
  close(): Promise<void>
}

/** How a process of the mesh is. */
export interface PeerReport {
  readonly size: number
  readonly checksum: string
  readonly rssBytes: number
  readonly cpuMs: number
  /** How long its event loop was held at most since the last report; 0 where it is not watched. */
  readonly loopMaxMs: number
}

const LOOK_MS = 1
const KEY = Buffer.alloc(32, 7).toString('base64')

export const serve: Serve<PeerOptions, PeerService> = async (options) => {
  const joined = options.way === 'mesh' ? await joinedMesh(options) : undefined
  const way = joined?.way ?? (await (options.way === 'udp' ? openUdpWay : openRedisWay)({ port: options.port }))
  const log = new LatencyLog()
  const loop = monitorEventLoopDelay({ resolution: LOOK_MS })
  const needed = (): Joined => joined ?? raise('only a mesh does that')
  const service: PeerService = {
    address: () => needed().own(),
    alive: () => needed().mesh.status().alive,
    listen: () => log.listen(way),
    heard: () => log.report(),
    write: (argument: WriteOptions) => writeEvenly(way, argument),
    flood: (argument) => flood(needed().map, argument),
    fill: ({ count, bytes, prefix }) => fill(needed().map, count, prefix, 'x'.repeat(bytes)),
    remove: async ({ count, prefix }) => {
      for (let at = 0; at < count; at++) needed().map.delete(`${prefix}-${at}`)
    },
    state: async () => ({
      size: needed().map.size,
      checksum: (await needed().mesh.checksums('bench'))[0]!.checksum,
      rssBytes: process.memoryUsage().rss,
      cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
      loopMaxMs: maxOf(loop),
    }),
    faults: ({ loss = 0, cutPorts = [] }) => {
      needed().transport.faults = { loss, isCut: (_host, port) => cutPorts.includes(port) }
    },
    watchLoop: () => void loop.enable(),
    block: (ms) => {
      const until = performance.now() + ms
      while (performance.now() < until);
    },
    settled: () => needed().map.settled(),
    joinMs: () => needed().joinMs,
    close: async () => {
      await way.close()
      await joined?.mesh.leave()
    },
  }
  return service
}

/** A mesh over a transport that can be made bad. */
export interface Joined {
  readonly mesh: Mesh
  readonly map: MeshMap<string>
  readonly transport: FaultyTransport
  readonly way: Way
  readonly joinMs: number
  own(): { host: string; port: number }
}

export async function joinedMesh({ name, port, peer, seed }: PeerOptions): Promise<Joined> {
  const udp = new UdpTransport({ mesh: name, sealed: true, interface: '127.0.0.1', port })
  const transport = faultyTransport(udp, { faults: {}, seed })
  const open = transport.open
  let own = { host: '', port: 0 }
  transport.open = async (receiver) => (own = await open(receiver))
  const startMs = performance.now()
  const mesh = await joinMesh({ name, peer, key: KEY, transport, joinTimeout: '30s' })
  const joinMs = performance.now() - startMs
  const map = mesh.map<string>('bench')
  const way: Way = { onValue: undefined, set: (key, text) => void map.set(key, text), close: async () => {} }
  map.on('set', ({ key, local }) => {
    if (!local && way.onValue) way.onValue(map.get(key)!)
  })
  return { mesh, map, transport, way, joinMs, own: () => own }
}

/** Writes in turns of the event loop, and leaves room for what has to be sent. */
async function flood(
  map: MeshMap<string>,
  { seconds, keys, bytes }: { seconds: number; keys: number; bytes: number },
): Promise<{ written: number; seconds: number }> {
  const startMs = performance.now()
  let written = 0
  while (performance.now() - startMs < seconds * 1000) {
    const value = stamped(bytes)
    // A key is written again only after its last change was sent: nothing is merged, and every update travels.
    for (let count = 0; count < 1000 && map.pressure * 1_000_000 < keys / 2; count++)
      map.set(`key-${written++ % keys}`, value)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await map.settled()
  return { written, seconds: (performance.now() - startMs) / 1000 }
}

async function fill(map: MeshMap<string>, count: number, prefix: string, value: string): Promise<void> {
  for (let at = 0; at < count; at++) {
    map.set(`${prefix}-${at}`, value)
    if (at % 5000 === 4999) {
      await sleep(1)
      while (map.pressure > 0.5) await sleep(5)
    }
  }
}

function maxOf(loop: ReturnType<typeof monitorEventLoopDelay>): number {
  // What is measured is from one look to the next.
  const max = Math.max(0, loop.max / 1e6 - LOOK_MS)
  loop.reset()
  return max
}

function raise(reason: string): never {
  throw new Error(reason)
}
