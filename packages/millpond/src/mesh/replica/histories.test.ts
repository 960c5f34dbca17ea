/** Random histories of several peers with every fault that a link and a machine have; a fold over all changes is the judge. */
import { expect, test } from 'vitest'
import { Changes } from './changes.fixture.ts'
import type { Sync } from './map-mode.ts'
import type { MapBounds, MapState } from './map-state.ts'
import { contentOf, type FixturePeer, Peers } from './peers.fixture.ts'

const SCHEDULES = Number(process.env.MILLPOND_SCHEDULES ?? 200)
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const FOREVER = Number.POSITIVE_INFINITY

/** One history: what happens is drawn from the seed. */
class History {
  readonly peers: Peers
  readonly changes = new Changes()
  /** Whether half of what is set lives for some seconds only. */
  hasLives = false
  readonly maps = new Map<FixturePeer, MapState>()
  readonly #sync: Sync
  readonly #bounds: Partial<MapBounds>
  #written = 0

  constructor(seed: number, sync: Sync = 'full', bounds: Partial<MapBounds> = {}) {
    this.peers = new Peers(seed)
    this.#sync = sync
    this.#bounds = bounds
  }

  run(steps: number): void {
    const count = 2 + this.#draw(4)
    for (let at = 0; at < count; at++) this.join()
    for (let step = 0; step < steps; step++) this.#step()
  }

  join(): void {
    const skews = [0, 0, 20, -300, 3_600_000, -7_200_000]
    const peer = this.peers.join(skews[this.#draw(skews.length)]!)
    this.maps.set(peer, peer.open('prices', this.#bounds, this.#sync))
  }

  #step(): void {
    const { peers } = this
    const peer = peers.alive[this.#draw(peers.alive.length)]!
    const chance = peers.random()
    if (chance < 0.35) this.#change(peer)
    else if (chance < 0.5) peer.flush()
    else if (chance < 0.75) for (let left = this.#draw(8); left > 0; left--) peers.deliverOne()
    else if (chance < 0.8) this.#lose()
    else if (chance < 0.85) this.#repeat()
    else if (chance < 0.9) this.#cut(peer)
    else if (chance < 0.93) this.#repairTwo(peer)
    else if (chance < 0.95) peer.room = this.#draw(2) * 1000
    else if (chance < 0.96) peer.skewMs += [-1, 1][this.#draw(2)]! * this.#draw(5000)
    else if (chance < 0.975) peers.clock.advanceNow(this.#draw(2000))
    else if (chance < 0.985) this.#restart(peer)
    else peer.flush()
  }

  #change(peer: FixturePeer): void {
    const map = this.maps.get(peer)!
    const key = KEYS[this.#draw(KEYS.length)]!
    const chance = this.peers.random()
    if (chance < 0.02) this.changes.clear(map, () => map.clear())
    else if (chance < 0.25) this.changes.delete(map, key, () => map.delete(key))
    else {
      const value = `${peer.id}.${++this.#written}`
      const lifeMs = this.hasLives && this.peers.random() < 0.5 ? 100 + this.#draw(5000) : FOREVER
      map.set(key, value, lifeMs)
      this.changes.set(map, key, value, lifeMs < FOREVER)
    }
  }

  #lose(): void {
    this.peers.flights.splice(this.#draw(this.peers.flights.length), 1)
  }

  #repeat(): void {
    const flight = this.peers.flights[this.#draw(this.peers.flights.length)]
    if (flight) this.peers.flights.push(flight)
  }

  #cut(peer: FixturePeer): void {
    const { cuts, alive } = this.peers
    if (cuts.size > 0 && this.peers.random() < 0.5) cuts.clear()
    else for (const other of alive) if (this.peers.random() < 0.5) cuts.add(`${peer.id}>${other.id}`)
  }

  #repairTwo(peer: FixturePeer): void {
    const other = this.peers.alive[this.#draw(this.peers.alive.length)]!
    if (other !== peer) this.peers.repair(peer, other)
  }

  /** A process ends when everybody knows what it had to say, and another one starts. */
  #restart(peer: FixturePeer): void {
    if (this.peers.alive.length < 2) return
    const { cuts } = this.peers
    cuts.clear()
    peer.room = 1000
    peer.flush()
    for (const other of this.peers.alive) if (other !== peer) this.peers.repair(peer, other)
    this.peers.crash(peer)
    this.maps.delete(peer)
    this.join()
  }

  /** Ends all faults and brings everything where it goes. */
  settle(): void {
    this.endFaults()
    this.peers.settle()
  }

  endFaults(): void {
    this.peers.cuts.clear()
    for (const peer of this.peers.alive) peer.room = Number.POSITIVE_INFINITY
  }

  #draw(count: number): number {
    return Math.floor(this.peers.random() * count)
  }
}

test(`after ${SCHEDULES} histories with loss, repetition, disorder, partitions, skew and restarts all maps are the fold of all changes`, () => {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const history = new History(seed)
    history.run(400)
    history.settle()
    const expected = history.changes.content()
    for (const [peer, map] of history.maps) expect(contentOf(map), `seed ${seed}, peer ${peer.id}`).toEqual(expected)
  }
})

test(`bounded, part and invalidate maps keep to the newest too: what is held after ${SCHEDULES} histories is the fold of all changes`, () => {
  const kinds: [Sync, Partial<MapBounds>][] = [
    ['full', { maxEntries: 5 }],
    ['part', {}],
    ['part', { maxEntries: 3 }],
    ['invalidate', {}],
    ['full', { conflict: 'evict' }],
  ]
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const [sync, bounds] = kinds[seed % kinds.length]!
    const history = new History(seed, sync, bounds)
    history.run(400)
    history.settle()
    const expected = history.changes.content()
    for (const [peer, map] of history.maps) {
      expect(map.size, `seed ${seed}`).toBeLessThanOrEqual(bounds.maxEntries ?? KEYS.length)
      for (const [key, value] of Object.entries(contentOf(map)))
        expect(value, `seed ${seed}, ${sync}, peer ${peer.id}, key ${key}`).toEqual(expected[key])
    }
    if (bounds.conflict === 'evict')
      expect(new Set([...history.maps.values()].map((map) => JSON.stringify(contentOf(map)))).size).toBe(1)
  }
})

test(`what has expired stays away: after ${SCHEDULES} histories with lives of some seconds all maps are equal, and as the changes that last say`, () => {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const history = new History(seed)
    history.hasLives = true
    history.run(400)
    // What is about to end is not carried any more: states become equal as time goes on.
    history.endFaults()
    history.peers.settleMessages()
    for (let second = 0; second < 8; second++) history.peers.clock.advanceNow(1000)
    history.settle()
    const contents = [...history.maps.values()].map((map) => contentOf(map))
    for (const content of contents) {
      expect(content, `seed ${seed}`).toEqual(contents[0])
      for (const key of KEYS)
        expect(history.changes.allows(key, content[key]), `seed ${seed}, ${key} is ${String(content[key])}`).toBe(true)
    }
  }
})

test('long after a history nothing is remembered but what is held', () => {
  const history = new History(11)
  history.run(400)
  history.settle()
  for (let minute = 0; minute < 12; minute++) history.peers.clock.advanceNow(60_000)
  history.settle()
  const expected = Object.keys(history.changes.content()).length
  for (const map of history.maps.values()) {
    expect([map.ledger.remembered, map.ledger.size]).toEqual([0, expected])
    expect(map.unsent.size).toBe(0)
  }
})
