/** Processes of the suite `mesh` that act on one another. */
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Remote } from '../../remote.ts'
import type { PeerOptions, PeerService } from './peer.ts'

let meshes = 0

/** Starts so many processes; those of a mesh have joined one of their own, and know each other. */
export async function startCluster(way: PeerOptions['way'], count: number, port: number): Promise<Cluster> {
  const cluster = new Cluster(way, port)
  await Promise.all(Array.from({ length: count }, () => cluster.add()))
  await cluster.gathered()
  return cluster
}

export class Cluster {
  readonly peers: Remote<PeerService>[] = []
  readonly #way: PeerOptions['way']
  readonly #port: number
  readonly #name = `bench-${process.pid}-${++meshes}`
  #started = 0

  constructor(way: PeerOptions['way'], port: number) {
    this.#way = way
    this.#port = port
  }

  /** One more process. They take turns on the cores. */
  async add(): Promise<Remote<PeerService>> {
    const number = this.#started++
    const argument: PeerOptions = {
      way: this.#way,
      port: this.#port,
      name: this.#name,
      peer: `peer-${number}`,
      seed: number + 1,
    }
    const module = new URL('./peer.ts', import.meta.url)
    const peer = await Remote.start<PeerService>({ module, argument, core: number % availableParallelism() })
    this.peers.push(peer)
    return peer
  }

  /** Everyone knows everyone. */
  async gathered(): Promise<void> {
    if (this.#way !== 'mesh') return
    await this.#until(async () => (await this.all('alive')).every((alive) => alive === this.peers.length - 1), 15_000)
  }

  all<N extends keyof PeerService>(name: N, argument?: Parameters<PeerService[N]>[0]) {
    return Promise.all(this.peers.map((peer) => peer.call(name, argument)))
  }

  /** How long until all hold the same, and at least `size` entries; throws after `limitMs`. */
  async equalAfterMs(size: number, limitMs: number): Promise<number> {
    const startMs = performance.now()
    await this.#until(async () => {
      const states = await this.all('state')
      return states.every((state) => state.checksum === states[0]!.checksum && state.size >= size)
    }, limitMs)
    return performance.now() - startMs
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.close()))
  }

  async #until(met: () => Promise<boolean>, limitMs: number): Promise<void> {
    const startMs = performance.now()
    while (!(await met())) {
      if (performance.now() - startMs > limitMs) throw new Error(`not reached within ${limitMs} ms`)
      await sleep(5)
    }
  }
}
