/** Whole meshes in one process, on a simulated network and a clock that the test drives. */
import { seededRandom } from '../core/random.ts'
import { type ManualClock, manualClock } from '../testing/manual-clock.ts'
import type { SimulatedHost } from '../testing/simulated-host.ts'
import type { SimulatedLink } from '../testing/simulated-link.ts'
import { SimulatedNetwork } from '../testing/simulated-network.ts'
import { joinMesh, type Mesh } from './mesh.ts'
import type { MeshOptions } from './options.ts'

/** A process of the mesh. */
export interface Member {
  readonly mesh: Mesh
  readonly host: SimulatedHost
}

export class MeshCluster {
  readonly clock: ManualClock = manualClock()
  readonly network: SimulatedNetwork
  readonly members: Member[] = []
  readonly errors: unknown[] = []
  readonly #seed: number
  readonly #options: MeshOptions
  #joined = 0

  constructor(seed: number, options: MeshOptions = {}, link: SimulatedLink = {}) {
    this.#seed = seed
    this.#options = options
    this.network = new SimulatedNetwork(this.clock, { seed, link })
  }

  /** Starts a process and lets time go on until it has joined. */
  async join(options: MeshOptions = {}): Promise<Member> {
    const member = this.start(options)
    return await this.until(member)
  }

  /** Starts several at once. */
  async joinMany(count: number, options: MeshOptions = {}): Promise<Member[]> {
    return await this.until(Promise.all(Array.from({ length: count }, () => this.start(options))))
  }

  async start(options: MeshOptions = {}): Promise<Member> {
    const number = ++this.#joined
    const host = this.network.host()
    const mesh = await joinMesh({
      name: 'test',
      peer: `p${number}`,
      transport: host.transport,
      clock: host.clock,
      random: seededRandom(this.#seed * 1000 + number),
      ...this.#options,
      ...options,
    })
    mesh.on('error', ({ error }) => this.errors.push(error))
    const member = { mesh, host }
    this.members.push(member)
    return member
  }

  crash({ mesh, host }: Member): void {
    host.crash()
    this.members.splice(
      this.members.findIndex((member) => member.mesh === mesh),
      1,
    )
  }

  async leave({ mesh }: Member): Promise<void> {
    this.members.splice(
      this.members.findIndex((member) => member.mesh === mesh),
      1,
    )
    await this.until(mesh.leave())
  }

  /** Lets time go on until the promise is settled, at most a minute. */
  async until<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isDone = false
    void promise
      .catch(() => {})
      .finally(() => {
        isDone = true
      })
    await this.untilTrue(() => isDone, limitMs)
    return await promise
  }

  /** Lets time go on until it is so. Returns how long that took. */
  async untilTrue(isSo: () => boolean, limitMs = 60_000): Promise<number> {
    for (let passedMs = 0; passedMs <= limitMs; passedMs += STEP_MS) {
      await this.clock.advance(0)
      if (isSo()) return passedMs
      await this.clock.advance(STEP_MS)
    }
    throw new Error(`not within ${limitMs} ms; seed ${this.#seed}`)
  }

  /** Whether everybody sees all others alive, and nobody else. */
  get isWhole(): boolean {
    return this.members.every(({ mesh }) => mesh.status().alive === this.members.length - 1)
  }

  /** Whether all have the same state of a map. */
  isEqual(name: string): boolean {
    return new Set(this.members.map(({ mesh }) => mesh.status().maps[name]?.checksum)).size === 1
  }
}

const STEP_MS = 10
