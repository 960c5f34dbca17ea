import { describe, expect, test } from 'vitest'
import { manualClock } from '../../testing/manual-clock.ts'
import type { LinkStream } from '../link/link.ts'
import { ToyState } from './cluster.fixture.ts'
import { Comparison, type ComparisonParts, type Outcome } from './comparison.ts'
import { History } from './history.ts'
import { Slices } from './slices.ts'

const AWAY_MS_MAX = 1000

/** One end of a stream in memory. */
class Pipe implements LinkStream {
  readonly #messages: (Uint8Array | undefined)[] = []
  #wake = () => {}
  other: Pipe | undefined
  /** Lengths of the messages that were written here. */
  readonly written: number[] = []

  async write(message: Uint8Array): Promise<void> {
    this.written.push(message.length)
    this.other!.#arrive(Uint8Array.from(message))
  }
  async read(): Promise<Uint8Array | undefined> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#messages.shift()
  }
  end(): void {
    this.other!.#arrive(undefined)
  }
  destroy(): void {
    this.#arrive(undefined)
    this.end()
  }
  #arrive(message: Uint8Array | undefined): void {
    this.#messages.push(message)
    this.#wake()
  }
}

/** Two processes, 1 and 2, that can compare their states. */
class Pair {
  readonly clock = manualClock()
  readonly states = [this.#state(), this.#state()] as const
  readonly histories = [new History(), new History()] as const
  readonly ready = [true, true]
  readonly pipes = [new Pipe(), new Pipe()] as const

  #state(): ToyState {
    return new ToyState(() => this.clock.monotonic(), AWAY_MS_MAX)
  }

  /** Process 1 opens. */
  async compare(recentMs?: number, refuse = false): Promise<[Outcome, Outcome]> {
    this.pipes[0].other = this.pipes[1]
    this.pipes[1].other = this.pipes[0]
    const opening = new Comparison(this.#parts(0), this.pipes[0], 2).open(recentMs)
    const accepting = new Comparison(this.#parts(1), this.pipes[1], 1).accept(refuse)
    return await Promise.all([opening, accepting])
  }

  #parts(at: 0 | 1): ComparisonParts {
    const { clock } = this
    return {
      self: at + 1,
      state: this.states[at],
      history: this.histories[at],
      clock,
      slices: new Slices(clock, async () => {}),
      isReady: () => this.ready[at]!,
      bornMs: () => 0,
      wipe: () => this.states[at].wipe(),
    }
  }

  /** They were in step at this time; now they have 100 keys in common, and one each. */
  async apartFor(ms: number): Promise<void> {
    for (let key = 0; key < 100; key++) for (const state of this.states) state.set(`k${key}`, 'v', key + 1)
    const nowMs = this.clock.monotonic()
    this.histories[0].touch(2, nowMs, nowMs)
    this.histories[1].touch(1, nowMs, nowMs)
    await this.clock.advance(ms)
    this.states[0].set('one', 'v', 1001)
    this.states[1].set('two', 'v', 1002)
  }

  get areEqual(): boolean {
    return this.states[0].keys.join() === this.states[1].keys.join()
  }
}

test('merges both ways what differs, and only that', async () => {
  const pair = new Pair()
  await pair.apartFor(AWAY_MS_MAX)
  const [outcome] = await pair.compare()
  expect(outcome).toBe('equal')
  expect(pair.states[0].keys).toHaveLength(102)
  expect(pair.areEqual).toBe(true)
  expect(pair.pipes[1].written.reduce((sum, length) => sum + length)).toBeLessThan(400)
  expect(pair.histories[0].sinceMs(2, pair.clock.monotonic())).toBe(0)
  expect(pair.histories[1].sinceMs(1, pair.clock.monotonic())).toBe(0)
})

describe('apart for too long', () => {
  test('the opener gives way to larger company', async () => {
    const pair = new Pair()
    await pair.apartFor(AWAY_MS_MAX + 1)
    pair.histories[1].touch(9, 1, pair.clock.monotonic() - 1)
    await pair.compare()
    expect(pair.states.map(({ wipes }) => wipes)).toEqual([1, 0])
    expect(pair.states[0].keys).toContain('two')
    expect(pair.states[0].keys).not.toContain('one')
    expect(pair.areEqual).toBe(true)
  })

  test('the accepter gives way where it has the higher id in as much company', async () => {
    const pair = new Pair()
    await pair.apartFor(60_000)
    await pair.compare()
    expect(pair.states.map(({ wipes }) => wipes)).toEqual([0, 1])
    expect(pair.states[1].keys).toContain('one')
    expect(pair.states[1].keys).not.toContain('two')
    expect(pair.areEqual).toBe(true)
  })

  test('whoever has not joined gives way', async () => {
    const pair = new Pair()
    await pair.apartFor(60_000)
    pair.ready[0] = false
    await pair.compare()
    expect(pair.states.map(({ wipes }) => wipes)).toEqual([1, 0])
  })

  test('nobody gives way to nothing', async () => {
    const pair = new Pair()
    await pair.apartFor(60_000)
    pair.states[0].entries.clear()
    await pair.compare()
    expect(pair.states.map(({ wipes }) => wipes)).toEqual([0, 0])
    expect(pair.states[0].keys).toHaveLength(101)
  })
})

test('only recent changes are carried where that is asked for; what it leaves out shows in the outcome', async () => {
  const pair = new Pair()
  await pair.apartFor(0)
  await pair.clock.advance(500)
  pair.states[0].set('k1', 'newer', 2000)
  const [outcome] = await pair.compare(100)
  expect(outcome).toBe('changed meanwhile')
  expect(pair.states[1].entries.get('k1')?.value).toBe('newer')
  expect(pair.states[1].keys).not.toContain('one')
})

test.each([
  ['busy', true, true],
  ['not ready', false, false],
] as const)('a side that is %s changes nothing', async (expected, ready, refuse) => {
  const pair = new Pair()
  await pair.apartFor(10)
  pair.ready[1] = ready
  expect(await pair.compare(undefined, refuse)).toEqual([expected, expected])
  expect(pair.states.map(({ keys }) => keys.length)).toEqual([101, 101])
})

test('a side that falls silent is given up after five seconds', async () => {
  const pair = new Pair()
  pair.pipes[0].other = pair.pipes[1]
  pair.pipes[1].other = pair.pipes[0]
  const comparison = new Comparison(
    {
      self: 1,
      state: pair.states[0],
      history: pair.histories[0],
      clock: pair.clock,
      slices: new Slices(pair.clock),
      isReady: () => true,
      bornMs: () => 0,
      wipe: () => {},
    },
    pair.pipes[0],
    2,
  )
  const given = expect(comparison.open(undefined)).rejects.toThrow('ended the comparison')
  await pair.clock.advance(4999)
  expect(pair.clock.pending).toBe(1)
  await pair.clock.advance(1)
  await given
  expect(pair.clock.pending).toBe(0)
})
