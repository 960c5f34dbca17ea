import { describe, expect, it, test } from 'vitest'
import type { BusMessage } from '../core/bus.ts'
import { ClosedError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { seededRandom } from '../core/random.ts'
import { type ManualClock, manualClock } from '../testing/manual-clock.ts'
import type { Line } from './bus-keeper.ts'
import { encodePacket } from './bus-packet.ts'
import { type Channel, PubSubBus } from './bus-pubsub.ts'

const HEARTBEAT_MS = 1000

/** A server: who listens hears what is sent, unless it is lost on the way. */
class Server {
  readonly lines = new Set<ServerLine>()
  readonly sent: string[] = []
  /** Sends that fail, hang, or are acknowledged and lost. */
  fault: 'none' | 'fail' | 'hang' | 'lose' = 'none'
  refuses = false

  async send(payload: string): Promise<void> {
    if (this.fault === 'hang') return new Promise(() => {})
    if (this.fault === 'fail') throw new Error('no connection')
    if (this.fault === 'lose') return
    this.sent.push(payload)
    await Promise.resolve()
    for (const line of this.lines) if (!line.isDeaf) line.hear(payload)
  }
}

interface ServerLine extends Line {
  isDeaf: boolean
  readonly hear: (payload: string) => void
  readonly onDown: (reason: unknown) => void
}

interface End {
  readonly bus: PubSubBus
  readonly heard: (BusMessage | 'gap')[]
  /** Its newest line. */
  line(): ServerLine
}

function endOf(server: Server, clock: ManualClock): End {
  let newest: ServerLine | undefined
  const channel: Channel = {
    send: (payload) => server.send(payload),
    async listen(hear, onDown) {
      if (server.refuses) throw new Error('refused')
      const line: ServerLine = { isDeaf: false, hear, onDown, close: () => void server.lines.delete(line) }
      server.lines.add(line)
      newest = line
      return line
    },
    close: async () => {},
  }
  const bus = new PubSubBus({
    channel,
    clock,
    heartbeatMs: HEARTBEAT_MS,
    random: seededRandom(1),
    logger: silentLogger,
  })
  const heard: End['heard'] = []
  bus.subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
  return { bus, heard, line: () => newest! }
}

/** Two ends that know each other, and have heard nothing yet. */
async function pair(): Promise<{ server: Server; clock: ManualClock; first: End; second: End }> {
  const [server, clock] = [new Server(), manualClock()]
  const [first, second] = [endOf(server, clock), endOf(server, clock)]
  await clock.advance(3 * HEARTBEAT_MS)
  for (const { heard } of [first, second]) {
    expect(heard).toEqual(['gap']) // it listened before the line was open
    heard.length = 0
  }
  return { server, clock, first, second }
}

const remove = (...keys: string[]): BusMessage => ({ cache: 'shop', kind: 'delete', keys })

describe('a loss', () => {
  test.each(['fail', 'lose'] as const)('of the last message is found by the next heartbeat: %s', async (fault) => {
    const { server, clock, first, second } = await pair()
    server.fault = fault
    const published = first.bus.publish(remove('lost'))
    if (fault === 'fail') await expect(published).rejects.toThrow('no connection')
    else await published
    server.fault = 'none'
    expect(second.heard).toEqual([])
    await clock.advance(HEARTBEAT_MS)
    expect(second.heard).toEqual(['gap'])
    await first.bus.publish(remove('next'))
    await clock.advance(10 * HEARTBEAT_MS)
    expect(second.heard).toEqual(['gap', remove('next')])
    expect(first.heard).toEqual([])
  })

  it('is told before the next message', async () => {
    const { server, first, second } = await pair()
    server.fault = 'lose'
    await first.bus.publish(remove('lost'))
    server.fault = 'none'
    await first.bus.publish(remove('next'))
    expect(second.heard).toEqual(['gap', remove('next')])
  })

  it('of one receiver alone is a gap there alone', async () => {
    const { server, clock, first, second } = await pair()
    const third = endOf(server, clock)
    await clock.advance(3 * HEARTBEAT_MS)
    third.heard.length = 0
    second.line().isDeaf = true
    await first.bus.publish(remove('a'))
    second.line().isDeaf = false
    await clock.advance(HEARTBEAT_MS)
    expect(second.heard).toEqual(['gap'])
    expect(third.heard).toEqual([remove('a')])
  })

  it('that hangs is rejected in a bounded time, and what waits leaves then', async () => {
    const { server, clock, first, second } = await pair()
    server.fault = 'hang'
    const rejected = expect(first.bus.publish(remove('lost'))).rejects.toThrow('took longer')
    await clock.advance(1)
    const next = first.bus.publish(remove('next'))
    server.fault = 'none'
    await clock.advance(3 * HEARTBEAT_MS)
    await Promise.all([rejected, next])
    expect(second.heard).toContain('gap')
    expect(second.heard.at(-1)).toEqual(remove('next'))
  })
})

describe('a connection', () => {
  it('that ends is opened again; the gap is told when it ended and before the next message', async () => {
    const { clock, first, second } = await pair()
    second.line().close()
    second.line().onDown(new Error('reset'))
    expect(second.heard).toEqual(['gap'])
    await clock.advance(0)
    await first.bus.publish(remove('next'))
    await clock.advance(0)
    expect(second.heard).toEqual(['gap', 'gap', remove('next')])
    expect(second.bus.status()).toMatchObject({ connected: true, reconnects: 1 })
  })

  it('that is half open is found because own heartbeats do not come back', async () => {
    const { clock, first, second } = await pair()
    const dead = second.line()
    dead.isDeaf = true
    await first.bus.publish(remove('lost'))
    await clock.advance(2 * HEARTBEAT_MS)
    expect(second.heard).toEqual([])
    await clock.advance(2 * HEARTBEAT_MS)
    expect(second.line()).not.toBe(dead)
    expect(second.heard.slice(0, 2)).toEqual(['gap', 'gap'])
    await first.bus.publish(remove('next'))
    await clock.advance(0)
    expect(second.heard.at(-1)).toEqual(remove('next'))
  })

  it('that cannot be opened is tried again, after pauses that grow to a heartbeat', async () => {
    const [server, clock] = [new Server(), manualClock()]
    server.refuses = true
    const { bus, heard } = endOf(server, clock)
    await clock.advance(60 * HEARTBEAT_MS)
    expect(bus.status()).toMatchObject({ connected: false })
    expect(bus.status().reconnects).toBeLessThan(70)
    server.refuses = false
    await clock.advance(HEARTBEAT_MS)
    await bus.ready()
    expect(heard).toEqual(['gap'])
  })

  it('is not blamed when the others are silent', async () => {
    const { clock, first, second } = await pair()
    await first.bus.close()
    await clock.advance(3600 * HEARTBEAT_MS)
    expect(second.heard).toEqual([])
    expect(second.bus.status()).toMatchObject({ connected: true, reconnects: 0 })
  })
})

describe('a newcomer', () => {
  it('that is new and says its first message is no gap', async () => {
    const { server, clock, first } = await pair()
    const third = endOf(server, clock)
    await clock.advance(0)
    await third.bus.publish(remove('a'))
    await clock.advance(5 * HEARTBEAT_MS)
    expect(first.heard).toEqual([remove('a')])
  })

  it('whose first messages were missed is a gap', async () => {
    const { first } = await pair()
    first.line().hear(encodePacket({ sender: 'new', sequence: 3, sign: 'beat', messages: [remove('a')] }))
    expect(first.heard).toEqual(['gap', remove('a')])
  })

  it('hears of all who have said something soon, and is told of one gap for them together', async () => {
    const { server, clock, first, second } = await pair()
    for (const end of [first, second]) await end.bus.publish(remove('before'))
    const third = endOf(server, clock)
    await clock.advance(3 * HEARTBEAT_MS)
    expect(third.heard).toEqual(['gap', 'gap'])
    await first.bus.publish(remove('after'))
    await clock.advance(3 * HEARTBEAT_MS)
    expect(third.heard).toEqual(['gap', 'gap', remove('after')])
  })

  it('is what a sender becomes that was silent for very long', async () => {
    const { first } = await pair()
    const clock = manualClock()
    const server = new Server()
    const end = endOf(server, clock)
    await clock.advance(5000)
    end.heard.length = 0
    end.line().hear(encodePacket({ sender: 'old', sequence: 0, sign: 'beat', messages: [] }))
    end.line().hear(encodePacket({ sender: 'old', sequence: 1, sign: 'beat', messages: [remove('a')] }))
    await clock.advance(3_600_000)
    end.line().hear(encodePacket({ sender: 'old', sequence: 2, sign: 'beat', messages: [remove('b')] }))
    expect(end.heard).toEqual([remove('a'), 'gap', remove('b')])
    expect(first.heard).toEqual([])
  })
})

describe('a payload', () => {
  it.each([
    '',
    'hello',
    '{}',
    'null',
    '["other",1]',
    '["millpond",1',
    `["millpond",1,"a",1,"beat",[${'9'.repeat(17_000_000)}]]`,
  ])('of somebody else is ignored and counted (%#)', async (payload) => {
    const { first } = await pair()
    first.line().hear(payload)
    expect(first.heard).toEqual([])
    expect(first.bus.status()).toMatchObject({ ignored: 1 })
  })

  it.each([
    '["millpond",2,"a",1,"beat",[]]',
    '["millpond",1,"a",1,"wave",[]]',
    '["millpond",1,"a",-0.5,"beat",[]]',
    '["millpond",1,7,1,"beat",[]]',
    '["millpond",1,"a",1,"beat",{}]',
    '["millpond",1,"a",1,"beat",[null]]',
    '["millpond",1,"a",1,"beat",[{"cache":"shop","kind":"forget"}]]',
    '["millpond",1,"a",1,"beat",[{"cache":"shop","kind":"delete","keys":[1]}]]',
    '["millpond",1,"a",1,"beat",[{"cache":"shop","kind":"delete","tags":"t"}]]',
  ])('of ours that cannot be read is a gap: %s', async (payload) => {
    const { first } = await pair()
    first.line().hear(payload)
    expect(first.heard).toEqual(['gap'])
    expect(first.bus.status()).toMatchObject({ ignored: 1 })
  })

  it('that comes twice is told twice, which does no harm, and is no gap', async () => {
    const { first } = await pair()
    const packet = (sequence: number, key: string) =>
      encodePacket({ sender: 'a', sequence, sign: 'beat', messages: [remove(key)] })
    for (const payload of [packet(1, 'a'), packet(2, 'b'), packet(1, 'a'), packet(3, 'c')]) first.line().hear(payload)
    expect(first.heard).toEqual(['a', 'b', 'a', 'c'].map((key) => remove(key)))
  })
})

describe('what is published', () => {
  it('in one turn leaves in one packet, and what comes meanwhile in the next', async () => {
    const { server, clock, first, second } = await pair()
    const before = server.sent.length
    await Promise.all([...'abc'].map((key) => first.bus.publish(remove(key))))
    expect(server.sent.length - before).toBe(1)
    await clock.advance(0)
    expect(second.heard).toEqual([...'abc'].map((key) => remove(key)))
  })

  it('is split where it is large, and becomes a clear where it is larger still', async () => {
    const { server, clock, first, second } = await pair()
    const names = (count: number) => Array.from({ length: count }, (_, at) => `${at}`)
    const before = server.sent.length
    await first.bus.publish({ cache: 'shop', kind: 'expire', keys: names(3000), tags: names(2000) })
    await clock.advance(0)
    expect(server.sent.length - before).toBe(7)
    const heard = second.heard as BusMessage[]
    expect(heard.flatMap(({ keys = [] }) => keys)).toEqual(names(3000))
    expect(heard.flatMap(({ tags = [] }) => tags)).toEqual(names(2000))
    expect(new Set(heard.map(({ kind }) => kind))).toEqual(new Set(['expire']))
    heard.length = 0
    const other = first.bus.publish({ cache: 'other', kind: 'delete', keys: ['a'] })
    await Promise.all([first.bus.publish(remove(...names(100_000))), other])
    await clock.advance(0)
    expect(heard).toEqual([
      { cache: 'other', kind: 'delete', keys: ['a'] },
      { cache: 'shop', kind: 'clear' },
    ])
  })

  it('while the server is away is bounded, and told together when it is back', async () => {
    const { server, clock, first, second } = await pair()
    server.fault = 'hang'
    const lost = first.bus.publish(remove('lost')).catch(() => 'lost')
    await clock.advance(1)
    const published = Array.from({ length: 20_000 }, (_, at) => first.bus.publish(remove(`${at}`)))
    server.fault = 'none'
    await clock.advance(3 * HEARTBEAT_MS)
    await Promise.all([...published, lost])
    await clock.advance(0)
    expect(second.heard).toContain('gap')
    expect(second.heard).toContainEqual({ cache: 'shop', kind: 'clear' })
    expect(second.heard.length).toBeLessThan(12_000)
    expect(second.heard.at(-1)).toEqual(remove('19999'))
  })
})

test('a receiver that throws holds up no other', async () => {
  const { clock, first, second } = await pair()
  const told: string[] = []
  second.bus.subscribe({
    message() {
      throw new Error('oops')
    },
    gap() {},
  })
  second.bus.subscribe({ message: ({ kind }) => told.push(kind), gap() {} })
  await first.bus.publish(remove('a'))
  await clock.advance(0)
  expect([second.heard, told]).toEqual([[remove('a')], ['delete']])
})

test('a bus that is closed says and hears nothing, and leaves no timer', async () => {
  const { server, clock, first, second } = await pair()
  await Promise.all([first.bus.close(), second.bus.close(), second.bus.close()])
  await expect(first.bus.publish(remove('a'))).rejects.toThrow(ClosedError)
  expect(server.lines.size).toBe(0)
  await clock.advance(0)
  expect(clock.pending).toBe(0)
})
