import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { RepairCluster } from './cluster.fixture.ts'

const fill = (cluster: RepairCluster, at: number, count: number, prefix = 'k') => {
  for (let key = 0; key < count; key++)
    cluster.members[at]!.state.set(`${prefix}${key}`, 'v'.repeat(50), ++cluster.version)
}

/** A cluster whose members all have `count` entries and are in step. */
async function settled(count: number, members = 3, seed = 1, awayMsMax = 600_000) {
  const cluster = new RepairCluster(seed, {}, awayMsMax)
  await cluster.start()
  fill(cluster, 0, count)
  await cluster.startMany(members - 1)
  await cluster.until(() => cluster.members.every(({ repair }) => repair.joined) && cluster.areEqual, 10_000)
  await cluster.clock.advance(12_000)
  return cluster
}

describe('a newcomer', () => {
  test('that is alone has joined after half a second', async () => {
    const cluster = new RepairCluster(1)
    const only = await cluster.start()
    await cluster.clock.advance(499)
    expect(only.repair.joined).toBe(false)
    await cluster.clock.advance(50)
    expect(only.repair.joined).toBe(true)
    expect(only.caughtUpMs).toBeLessThan(560)
  })

  test('takes the whole state, deletions too, while others write', async () => {
    const cluster = await settled(5000)
    cluster.members[0]!.delete('k1')
    await cluster.clock.advance(100)
    const comer = await cluster.start()
    let writes = 0
    const writer = () => {
      cluster.members[1]!.set(`new ${++writes}`)
      if (writes < 100) cluster.clock.after(1, writer)
    }
    writer()
    const joinedMs = await cluster.until(() => comer.repair.joined, 2000)
    expect(joinedMs).toBeLessThan(400)
    expect(comer.state.keys).toContain('k0')
    expect(comer.state.entries.get('k1')).toMatchObject({ value: undefined })
    expect(comer.state.entries.size).toBeGreaterThanOrEqual(5000)
    await cluster.until(() => cluster.areEqual, 3000)
    expect(comer.state.keys).toHaveLength(5000 - 1 + 100)
  })

  test('brings along what it had written before it met anybody', async () => {
    const cluster = await settled(10)
    const comer = await cluster.start()
    comer.state.set('own', 'early', ++cluster.version)
    await cluster.until(() => cluster.areEqual && comer.repair.joined, 4000)
    expect(cluster.members[0]!.state.keys).toContain('own')
  })

  test('goes on with another donor where one dies, without starting over', async () => {
    const cluster = await settled(20_000, 3)
    const [one, two] = cluster.members
    cluster.network.set({ streamBytesMax: 600_000 }, { from: one!.host })
    cluster.network.set({ streamBytesMax: 600_000 }, { from: two!.host })
    const comer = await cluster.start()
    cluster.network.set({ streamBytesMax: 600_000 }, { to: comer.host })
    await cluster.until(() => comer.repair.joined, 5000)
    expect(comer.failures.length).toBeGreaterThan(1)
    expect(comer.state.entries.size).toBe(20_000)
    expect(cluster.network.counts().streamBytes).toBeLessThan(6_000_000)
  })

  test('whose donor vanishes without a word is replaced when it is found dead', async () => {
    const cluster = await settled(20_000, 3)
    cluster.network.set({ streamBytesPerMs: 1000 })
    const comer = await cluster.start()
    await cluster.until(() => comer.state.entries.size > 0, 2000)
    const donor = cluster.members.find(({ repair }) => repair.accepting === 1)!
    donor.host.crash(true)
    cluster.members.splice(cluster.members.indexOf(donor), 1)
    const joinedMs = await cluster.until(() => comer.repair.joined, 10_000)
    expect(joinedMs).toBeLessThan(4000)
    expect(comer.state.entries.size).toBe(20_000)
  })

  test.each([2, 5, 9])('%i that start in the same millisecond all join, and have everything', async (count) => {
    const cluster = new RepairCluster(count, { loss: 0.05, delayMs: [0.05, 2] })
    for (const [at, member] of (await cluster.startMany(count)).entries())
      member.state.set(`own ${at}`, 'x', ++cluster.version)
    await cluster.until(() => cluster.members.every(({ repair }) => repair.joined), 5000)
    await cluster.until(() => cluster.areEqual, 5000)
    expect(cluster.members[0]!.state.keys).toHaveLength(count)
  })
})

describe('states that differ', () => {
  test('after a partition are equal soon after it heals', async () => {
    const cluster = await settled(2000, 3)
    const [one, two, three] = cluster.members as [never, never, never] as typeof cluster.members
    cluster.network.partition([one!.host], [two!.host], [three!.host])
    await cluster.clock.advance(10_000)
    for (const [at, member] of cluster.members.entries()) {
      for (let key = 0; key < 500; key++) member.set(`new ${at} ${key}`)
      for (let key = 0; key < 100; key++) member.set(`k${key}`)
      for (let key = 100; key < 150; key++) member.delete(`k${at * 50 + key}`)
    }
    await cluster.clock.advance(20_000)
    expect(cluster.areEqual).toBe(false)
    cluster.network.heal()
    const healedMs = await cluster.until(() => cluster.areEqual, 10_000)
    expect(healedMs).toBeLessThan(3000)
    expect(one!.state.keys).toHaveLength(2000 - 150 + 1500)
  })

  test('without any message lost are found by their digests', async () => {
    const cluster = await settled(1000, 4)
    cluster.members[2]!.state.set('k7', 'by a fault', ++cluster.version)
    const foundMs = await cluster.until(() => cluster.areEqual, 15_000)
    expect(foundMs).toBeLessThan(5000)
    cluster.members[1]!.state.entries.delete('k9')
    await cluster.until(() => cluster.areEqual, 15_000)
    expect(cluster.members[1]!.state.keys).toContain('k9')
  })

  test('only because messages are on their way are not compared', async () => {
    const cluster = await settled(100, 4, 3)
    const before = cluster.members.map(({ repair }) => repair.counts.compared)
    for (let at = 0; at < 20_000; at += 20) {
      cluster.members[at % 4]!.set(`k${at % 100}`)
      await cluster.clock.advance(20)
    }
    expect(cluster.members.map(({ repair }) => repair.counts.compared)).toEqual(before)
    await cluster.clock.advance(2000)
    expect(cluster.areEqual).toBe(true)
  })

  test('digests are rare when nothing changes', async () => {
    const cluster = await settled(100, 3)
    const before = cluster.members[0]!.repair.counts.digests
    await cluster.clock.advance(60_000)
    const digests = cluster.members[0]!.repair.counts.digests - before
    expect(digests).toBeGreaterThanOrEqual(4)
    expect(digests).toBeLessThanOrEqual(7)
  })
})

describe('who was away for longer than deletions are remembered', () => {
  test('takes the state of the larger side: what was deleted does not come back', async () => {
    const cluster = await settled(200, 3, 5, 10_000)
    const [one, two, three] = cluster.members as [never, never, never] as typeof cluster.members
    cluster.network.partition([three!.host])
    await cluster.clock.advance(5000)
    one!.delete('k1')
    two!.set('k2', 'newer')
    three!.set('lonely')
    await cluster.clock.advance(25_000)
    for (const { state } of cluster.members) state.forget()
    expect([one!.state.entries.has('k1'), three!.state.keys.includes('k1')]).toEqual([false, true])
    cluster.network.heal()
    await cluster.until(() => cluster.areEqual && cluster.members.every(({ repair }) => repair.joined), 15_000)
    expect(three!.state.wipes).toBe(1)
    expect([one!.state.wipes, two!.state.wipes]).toEqual([0, 0])
    expect(cluster.members.map(({ state }) => state.keys.includes('k1'))).toEqual([false, false, false])
    expect(three!.state.entries.get('k2')).toMatchObject({ value: 'newer' })
    expect(one!.state.keys).not.toContain('lonely')
  })

  test('and not longer, merges', async () => {
    const cluster = await settled(200, 3, 5, 10_000)
    const [one, , three] = cluster.members
    cluster.network.partition([three!.host])
    one!.delete('k1')
    three!.set('lonely')
    await cluster.clock.advance(7000)
    cluster.network.heal()
    await cluster.until(() => cluster.areEqual, 15_000)
    expect(three!.state.wipes).toBe(0)
    expect(one!.state.keys).toContain('lonely')
    expect(three!.state.keys).not.toContain('k1')
  })

  test('two sides of equal size agree on one, whoever meets whom first', async () => {
    for (const seed of [1, 2, 3]) {
      const cluster = await settled(100, 4, seed, 10_000)
      const [one, two, three, four] = cluster.members
      cluster.network.partition([one!.host, two!.host], [three!.host, four!.host])
      await cluster.clock.advance(3000)
      one!.delete('k1')
      three!.delete('k2')
      await cluster.clock.advance(25_000)
      for (const { state } of cluster.members) state.forget()
      cluster.network.heal()
      await cluster.until(() => cluster.areEqual && cluster.members.every(({ repair }) => repair.joined), 20_000)
      expect(one!.state.keys.includes('k1') !== one!.state.keys.includes('k2'), `seed ${seed}`).toBe(true)
      const wipes = cluster.members.map(({ state }) => Math.min(1, state.wipes))
      expect(wipes.filter(Boolean), `seed ${seed}`).toHaveLength(2)
    }
  })

  test('a process that stood still for so long gives way too', async () => {
    const cluster = await settled(50, 3, 8, 10_000)
    const [one, , three] = cluster.members
    three!.host.pause()
    await cluster.clock.advance(2000)
    one!.delete('k1')
    await cluster.clock.advance(25_000)
    for (const { state } of cluster.members) state.forget()
    three!.host.resume()
    await cluster.until(() => cluster.areEqual && cluster.members.every(({ repair }) => repair.joined), 20_000)
    expect(cluster.members.map(({ state }) => state.keys.includes('k1'))).toEqual([false, false, false])
  })
})

test('whatever the seed: after faults, states are equal', async () => {
  for (let seed = 100; seed < 104; seed++) {
    const random = seededRandom(seed)
    const cluster = new RepairCluster(seed, { loss: random() * 0.2, duplication: 0.02, delayMs: [0.05, 5] })
    await cluster.startMany(4)
    for (let step = 0; step < 60; step++) {
      const member = cluster.members[Math.floor(random() * cluster.members.length)]!
      for (let write = random() * 50; write > 0; write--)
        if (random() < 0.2) member.delete(`k${Math.floor(random() * 300)}`)
        else member.set(`k${Math.floor(random() * 300)}`, `${random()}`)
      const event = random()
      if (event < 0.1) cluster.network.partition([member.host])
      else if (event < 0.2) cluster.network.heal()
      else if (event < 0.25) cluster.network.cutStreams()
      else if (event < 0.3) member.host.pause()
      else if (event < 0.4) for (const { host } of cluster.members) host.resume()
      else if (event < 0.43 && cluster.members.length > 2) cluster.crash(member)
      else if (event < 0.46 && cluster.members.length < 6) await cluster.start()
      await cluster.clock.advance(random() * 500)
    }
    cluster.network.heal()
    for (const { host } of cluster.members) host.resume()
    const whole = () => cluster.areEqual && cluster.members.every(({ repair }) => repair.joined)
    await cluster.until(whole, 40_000).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
    expect(cluster.members.every(({ state }) => state.wipes === 0)).toBe(true)
  }
})

describe('a peer that sends nonsense', () => {
  test('by hints and streams changes nothing, and the others go on', async () => {
    const cluster = await settled(500, 3)
    const [one, two] = cluster.members
    const before = one!.state.keys
    const random = seededRandom(9)
    for (let run = 0; run < 300; run++) {
      const noise = Uint8Array.from({ length: random() * 60 }, () => random() * 256)
      if (noise.length > 0) noise[0] = Math.floor(random() * 6)
      two!.link.hint(noise, one!.link.self)
      const stream = two!.link.connect(one!.link.self)
      await cluster.clock.advance(1)
      const opened = await stream
      await opened.write(noise)
      if (run % 3 === 0) opened.end()
      else if (run % 3 === 1) opened.destroy()
      await cluster.clock.advance(1)
    }
    await cluster.clock.advance(20_000)
    expect(one!.repair.accepting).toBe(0)
    expect(one!.state.keys).toEqual(before)
    expect(one!.failures.length).toBeGreaterThan(100)
    two!.state.set('later', 'x', ++cluster.version)
    await cluster.until(() => cluster.areEqual, 15_000)
  })
})
