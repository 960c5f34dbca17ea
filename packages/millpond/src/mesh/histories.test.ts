/** Random histories of whole meshes: real links, repair and streams over a network with every fault; a fold over all changes is the judge. */
import { expect, test } from 'vitest'
import { type Random, seededRandom } from '../core/random.ts'
import type { MeshMapOptions } from './map/map-options.ts'
import type { MeshMap } from './map/mesh-map.ts'
import { type Member, MeshCluster } from './mesh.fixture.ts'
import { Changes } from './replica/changes.fixture.ts'

/** Each is some ten seconds of five processes: fewer than of the histories without a network. */
const SCHEDULES = Math.ceil(Number(process.env.MILLPOND_SCHEDULES ?? 200) / 20)
const KEYS = Array.from({ length: 12 }, (_, at) => `key ${at}`)
const LARGE = 'x'.repeat(90_000)
/** Every second history is of a map that all hold whole. */
const KINDS: readonly MeshMapOptions[] = [{ maxEntries: 6 }, {}, { sync: 'part' }, {}, { sync: 'invalidate' }, {}]

class MeshHistory {
  readonly cluster: MeshCluster
  readonly changes = new Changes()
  readonly options: MeshMapOptions
  readonly #random: Random
  #written = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.options = KINDS[seed % KINDS.length]!
    const link = { loss: 0.3 * this.#random() ** 2, duplication: 0.1, reordering: 0.2, reorderingMs: 20, jitterMs: 2 }
    this.cluster = new MeshCluster(seed, {}, link)
  }

  async run(steps: number): Promise<void> {
    await this.cluster.joinMany(2 + this.#draw(3))
    for (let step = 0; step < steps; step++) await this.#step()
  }

  async #step(): Promise<void> {
    const { cluster } = this
    const member = cluster.members[this.#draw(cluster.members.length)]!
    const chance = this.#random()
    if (chance < 0.6) this.#change(member)
    else if (chance < 0.8) await cluster.clock.advance(this.#draw(50))
    else if (chance < 0.84)
      cluster.network.partition(cluster.members.filter(() => this.#random() < 0.5).map(({ host }) => host))
    else if (chance < 0.89) cluster.network.heal()
    else if (chance < 0.91) member.host.pause()
    else if (chance < 0.95) for (const { host } of cluster.members) host.resume()
    else if (chance < 0.97) member.host.skewWall((this.#random() - 0.5) * 20_000_000 * this.#random() ** 4)
    else if (chance < 0.98 && cluster.members.length < 5) await this.#join()
    else if (chance < 0.985) await this.#crash(member)
    else if (chance < 0.99) cluster.network.cutStreams(member.host)
    else await cluster.clock.advance(this.#draw(3000))
  }

  #change(member: Member): void {
    const map = this.mapOf(member)
    const state = member.mesh.stateOf('histories')
    const key = KEYS[this.#draw(KEYS.length)]!
    const chance = this.#random()
    if (chance < 0.01) this.changes.clear(state, () => map.clear())
    else if (chance < 0.2) this.changes.delete(state, key, () => map.delete(key))
    else {
      const value = { by: member.mesh.peer, number: ++this.#written, text: chance > 0.99 ? LARGE : '' }
      map.set(key, value)
      this.changes.set(state, key, value)
    }
  }

  async #join(): Promise<void> {
    for (const { host } of this.cluster.members) host.resume()
    await this.cluster.join()
  }

  /** What a process says that nobody has heard dies with it: it ends when all have heard it. */
  async #crash(member: Member): Promise<void> {
    if (this.cluster.members.length < 3) return
    await this.settle()
    this.cluster.crash(member)
    await this.#join()
  }

  /** Ends all faults, and lets time go on until all are equal. */
  async settle(): Promise<number> {
    const { cluster } = this
    cluster.network.heal()
    cluster.network.set({ loss: 0 })
    for (const { host } of cluster.members) host.resume()
    for (const member of cluster.members) this.mapOf(member)
    return await cluster.untilTrue(() => cluster.isWhole && cluster.isEqual('histories'), 60_000)
  }

  mapOf({ mesh }: Member): MeshMap<unknown> {
    return mesh.map<unknown>('histories', this.options)
  }

  #draw(count: number): number {
    return Math.floor(this.#random() * count)
  }
}

test(`after ${SCHEDULES} histories of whole meshes what maps hold is the fold of all changes, and full ones hold all of it`, {
  timeout: 30_000 + SCHEDULES * 5000,
}, async () => {
  const settledMs: number[] = []
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const history = new MeshHistory(seed)
    await history.run(300)
    settledMs.push(await history.settle())
    const expected = history.changes.content()
    for (const member of history.cluster.members) {
      const content = Object.fromEntries(history.mapOf(member))
      const held = Object.keys(content).map((key) => [key, expected[key]])
      const hint = `seed ${seed}, ${JSON.stringify(history.options)}, ${member.mesh.peer}`
      expect(content, hint).toEqual(Object.keys(history.options).length === 0 ? expected : Object.fromEntries(held))
      expect(history.mapOf(member).size).toBeLessThanOrEqual(history.options.maxEntries ?? KEYS.length)
    }
    for (const { mesh } of history.cluster.members) await history.cluster.until(mesh.leave())
  }
  settledMs.sort((one, other) => one - other)
  console.log(
    `equal after the last fault: median ${settledMs[settledMs.length >> 1]} ms, at most ${settledMs.at(-1)} ms`,
  )
})
