/**
 * Seeded schedules of whole clusters: everything that a network and an operator can do to them, at random. Whatever happens,
 * a message comes once or is told to be lost, no queue grows above its bound, and in the end all see each other.
 * `MILLPOND_SEED=17` replays one schedule, `MILLPOND_SCHEDULES=5000` plays that many.
 */
import { expect, test } from 'vitest'
import { Cluster, type Member } from './cluster.fixture.ts'

const { MILLPOND_SEED: only, MILLPOND_SCHEDULES: count = '100' } = process.env
const seeds = only === undefined ? Array.from({ length: Number(count) }, (_, at) => at + 1) : [Number(only)]

test(`${seeds.length} schedules`, { timeout: 3000 * seeds.length + 20_000 }, async () => {
  const seen = new Map<string, number>()
  for (const seed of seeds) {
    const schedule = new Schedule(seed)
    const faults = await schedule.play()
    for (const name of schedule.did) seen.set(name, (seen.get(name) ?? 0) + 1)
    expect(faults.slice(0, 5), `MILLPOND_SEED=${seed}: ${schedule.did.join(', ')}`).toEqual([])
  }
  if (seeds.length >= 100) expect([...seen.keys()].sort()).toEqual(Object.keys(EVENTS).sort())
})

test('a seed replays exactly', async () => {
  const logs = []
  for (let run = 0; run < 2; run++) {
    const schedule = new Schedule(11)
    await schedule.play()
    const { members, network, clock } = schedule.cluster
    logs.push([clock.monotonic(), network.counts(), schedule.did, members.map(({ log, got }) => [log, [...got]])])
  }
  expect(logs[0]).toEqual(logs[1])
})

/** What may happen, with how likely it is. */
const EVENTS: Readonly<Record<string, number>> = {
  talk: 12,
  long: 2,
  loss: 3,
  burst: 2,
  reorder: 2,
  double: 2,
  corrupt: 1,
  delay: 1,
  narrow: 1,
  oneWay: 2,
  partition: 2,
  flap: 1,
  heal: 4,
  pause: 2,
  crash: 1,
  restart: 2,
  join: 1,
  leave: 1,
  wall: 1,
  drown: 1,
}

class Schedule {
  readonly cluster: Cluster
  readonly did: string[] = []
  readonly #size: number

  constructor(seed: number) {
    const isSmall = seed % 4 === 0
    const limits = isSmall ? { ringDatagrams: 64, reassemblyBytes: 131_072, goneMax: 4 } : {}
    this.cluster = new Cluster({ seed, limits, multicast: seed % 5 !== 0 })
    this.#size = seed % 50 === 0 ? 32 : 2 + Math.floor(this.cluster.random() * 5)
  }

  async play(): Promise<string[]> {
    for (let at = 0; at < this.#size; at++) await this.#start(`m${at}`)
    const weights = Object.values(EVENTS)
    const names = Object.keys(EVENTS)
    for (let step = this.#size > 10 ? 5 : 20; step > 0; step--) {
      let draw = this.#draw(weights.reduce((sum, weight) => sum + weight, 0))
      const name = names[weights.findIndex((weight) => (draw -= weight) < 0)]!
      this.did.push(name)
      await this.#do(name)
      const faults = this.cluster.overflows()
      if (faults.length > 0) return faults
    }
    return this.#quiesce()
  }

  /** Everything is well again: in some seconds all know each other, and nothing is owed. */
  #quiesce(): string[] {
    const { cluster } = this
    cluster.network.heal()
    cluster.network.set({
      loss: 0,
      reordering: 0,
      duplication: 0,
      corruption: 0,
      delayMs: 0.1,
      datagramBytesMax: 65_507,
    })
    cluster.clock.advanceNow(300)
    cluster.until(() => cluster.isWhole, 15_000, 10)
    for (const member of cluster.members) if (member.link.room() > 0) member.send()
    cluster.clock.advanceNow(4000)
    const open = cluster.members.filter(({ link }) => link.acknowledged() < link.sent())
    const slow = cluster.members.filter(({ link }) => link.peers().some(({ slow }) => slow))
    return [
      ...cluster.faults(),
      ...cluster.overflows(),
      ...open.map(({ name, link }) => `${name}: ${link.acknowledged()} of ${link.sent()} acknowledged`),
      ...slow.map(({ name }) => `${name} takes somebody for slow`),
    ]
  }

  async #start(name: string): Promise<Member> {
    const seeds = this.cluster.members.slice(0, 2).map(({ host }) => host.address)
    return await this.cluster.start(name, { seeds })
  }

  #draw(below: number): number {
    return Math.floor(this.cluster.random() * below)
  }

  #one(): Member {
    return this.cluster.members[this.#draw(this.cluster.members.length)]!
  }

  /** Some send, as fast as there is room or slowly, for up to `ms`. */
  #talk(ms: number, bytes: () => number = () => 64): void {
    const senders = this.cluster.members.filter(() => this.cluster.random() < 0.5)
    const perMs = this.cluster.random() < 0.1 ? 10 : 1
    for (let at = 0; at < ms; at++) {
      for (const member of senders)
        for (let left = perMs; left > 0 && member.link.room() > 0; left--) member.send(bytes())
      this.cluster.clock.advanceNow(1)
    }
  }

  async #do(name: string): Promise<void> {
    const { cluster } = this
    const { network, random } = cluster
    if (name === 'talk') this.#talk(this.#draw(150))
    else if (name === 'long') this.#talk(20, () => this.#draw(65_536))
    else if (name === 'loss') network.set({ loss: random() * 0.5 })
    else if (name === 'burst') {
      network.set({ loss: 1 })
      this.#talk(200)
      network.set({ loss: 0 })
    } else if (name === 'reorder') network.set({ reordering: 0.5, reorderingMs: random() * 20 })
    else if (name === 'double') network.set({ duplication: random() })
    else if (name === 'corrupt') network.set({ corruption: 0.05 })
    else if (name === 'delay') network.set({ delayMs: [0.1, 1 + random() * 30] })
    else if (name === 'narrow')
      for (const { host } of cluster.members) host.transport.datagramBytesMax = 508 + this.#draw(1000)
    else if (name === 'oneWay') network.block([this.#one().host], [this.#one().host])
    else if (name === 'partition') {
      network.partition(cluster.members.filter(() => random() < 0.5).map(({ host }) => host))
      cluster.clock.advanceNow(this.#draw(2) === 0 ? this.#draw(1000) : this.#draw(30_000))
    } else if (name === 'flap') {
      const group = cluster.members.filter(() => random() < 0.5).map(({ host }) => host)
      for (let times = 0; times < 4; times++) {
        network.partition(group)
        this.#talk(100)
        cluster.clock.advanceNow(400)
        network.heal()
        this.#talk(100)
        cluster.clock.advanceNow(400)
      }
    } else if (name === 'heal') this.#heal()
    else await this.#happen(name)
  }

  #heal(): void {
    const { network, clock } = this.cluster
    network.heal()
    network.set({ loss: 0, reordering: 0, duplication: 0, corruption: 0, delayMs: 0.1 })
    clock.advanceNow(this.#draw(500))
  }

  /** What happens to processes. */
  async #happen(name: string): Promise<void> {
    const { cluster } = this
    const member = this.#one()
    if (name === 'pause') {
      member.host.pause()
      const others = cluster.members.filter((other) => other !== member)
      for (let left = this.#draw(3000); left > 0; left--) {
        for (const other of others) if (left % 10 === 0 && other.link.room() > 0) other.send()
        cluster.clock.advanceNow(1)
      }
      member.host.resume()
    } else if (name === 'restart') {
      cluster.crash(member)
      cluster.clock.advanceNow(this.#draw(50))
      await this.#start(member.name)
    } else if (name === 'join') await this.#start(`m${cluster.members.length + cluster.past.length}`)
    else if (name === 'crash' && cluster.members.length > 2) {
      cluster.crash(member)
      cluster.clock.advanceNow(this.#draw(3000))
    } else if (name === 'leave' && cluster.members.length > 2) {
      const left = member.link.leave()
      await cluster.clock.advance(600)
      await left
      cluster.crash(member)
    } else if (name === 'wall') member.host.skewWall((cluster.random() - 0.5) * 7_200_000)
    else if (name === 'drown') {
      member.host.transport.receiveBytesMax = 50_000
      member.host.transport.datagramsPerMs = 5
      this.#talk(100)
      member.host.transport.receiveBytesMax = member.host.transport.datagramsPerMs = Number.POSITIVE_INFINITY
    }
  }
}
