import { describe, expect, test } from 'vitest'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import { PathProber } from './path-prober.ts'
import { Reach } from './reach.ts'
import type { SeedAddress } from './seeds.ts'

const HERE = { host: '10.0.0.1', port: 1 }
const THERE = { host: '10.0.0.2', port: 2 }

/** Two probers, with a path between them that a test changes. */
class Path {
  readonly clock: ManualClock = manualClock()
  readonly reach = new Reach('auto')
  readonly #other = new Reach('auto')
  readonly here: PathProber
  readonly there: PathProber
  bytesMax = 65_000
  /** Whether the group comes through, and whether anything does. */
  group = true
  open = true
  /** Datagrams that were longer than 100 bytes. */
  probes: number[] = []

  constructor(bytesMax = 1472) {
    this.here = new PathProber(this.clock, this.reach, 7, bytesMax, (datagram, to) => this.#carry(datagram, to, HERE))
    this.there = new PathProber(this.clock, this.#other, 7, bytesMax, (datagram, to) =>
      this.#carry(datagram, to, THERE),
    )
  }

  #carry(datagram: Buffer, to: SeedAddress | undefined, from: SeedAddress): void {
    if (from === HERE && datagram.length > 100) this.probes.push(datagram.length)
    if (!this.open || datagram.length > this.bytesMax || (to === undefined && !this.group)) return
    const target = from === HERE ? this.there : this.here
    this.clock.after(1, () => target.echo(datagram, from.host, from.port))
  }

  know(): void {
    this.reach.know([THERE], this.clock.monotonic())
    this.here.start()
  }
}

describe('a path', () => {
  test('is used up to the length that comes through, step by step', async () => {
    const path = new Path(8900)
    path.know()
    expect(path.reach.bytes).toBe(1200)
    await path.clock.advance(100)
    expect(path.reach.bytes).toBe(8900)
    expect(path.probes).toEqual([1400, 1400, 1400, 1472, 1472, 1472, 8900, 8900, 8900])
  })

  test('that takes no more is left alone for 15 minutes, then tried again', async () => {
    const path = new Path()
    path.bytesMax = 1450
    path.know()
    await path.clock.advance(500_000)
    expect(path.reach.bytes).toBe(1400)
    expect(path.probes.filter((length) => length === 1472)).toHaveLength(3)
    path.bytesMax = 1500
    await path.clock.advance(500_000)
    expect(path.reach.bytes).toBe(1472)
  })

  test('that becomes narrower is noticed within a minute; one that is cut is not taken for narrow', async () => {
    const path = new Path()
    path.know()
    await path.clock.advance(1000)
    path.open = false
    await path.clock.advance(70_000)
    expect(path.reach.bytes).toBe(1472)
    path.open = true
    path.bytesMax = 1300
    await path.clock.advance(61_000)
    expect(path.reach.bytes).toBe(1200)
  })

  test('never longer than asked for is tried', async () => {
    const path = new Path(1300)
    path.know()
    await path.clock.advance(2000)
    expect(path.reach.bytes).toBe(1300)
    expect(Math.max(...path.probes)).toBe(1300)
  })
})

describe('the group', () => {
  test('reaches who answers it; when that ends, datagrams go one by one within 15 s, and back', async () => {
    const path = new Path()
    path.know()
    expect([path.reach.group, path.reach.targets.length]).toEqual([false, 1])
    await path.clock.advance(10)
    expect([path.reach.group, path.reach.targets.length]).toEqual([true, 0])
    path.group = false
    await path.clock.advance(16_000)
    expect([path.reach.group, path.reach.targets.length]).toEqual([false, 1])
    path.group = true
    await path.clock.advance(6000)
    expect([path.reach.group, path.reach.targets.length]).toEqual([true, 0])
  })
})

describe('seeds', () => {
  test('that answer are sent to; those that fall silent are not, ten seconds later', async () => {
    const path = new Path()
    path.reach.seeds([THERE], 0)
    expect(path.reach.targets).toEqual([])
    path.here.start()
    await path.clock.advance(10)
    expect(path.reach.targets).toHaveLength(1)
    path.open = false
    await path.clock.advance(12_000)
    expect(path.reach.targets).toEqual([])
  })
})

test('questions are answered 1,000 times a second, and forgotten when nobody answers', async () => {
  const path = new Path()
  let answers = 0
  const prober = new PathProber(path.clock, new Reach('auto'), 7, 1472, () => answers++)
  const question = Buffer.alloc(24)
  question.writeUInt16LE(0x514d, 0)
  question[2] = 1
  question[3] = 1
  question.writeUInt32LE(7, 4)
  for (let count = 0; count < 5000; count++) prober.echo(question, '10.0.0.9', 9)
  expect(answers).toBe(1000)
  await path.clock.advance(100)
  for (let count = 0; count < 5000; count++) prober.echo(question, '10.0.0.9', 9)
  expect(answers).toBe(1100)
})
