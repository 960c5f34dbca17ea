import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { TestService } from '../commands/testing.ts'
import type { ByteConnection } from './byte-protocol.ts'
import { Departures } from './departures.ts'
import { MemcachedConnection } from './memcached/connection.ts'
import { Exchange } from './memcached/exchange.ts'
import type { Peer } from './output.ts'
import { RespConnection } from './resp/connection.ts'
import { ReplyWriter } from './resp/reply-writer.ts'
import { TestLoop } from './turns.fixture.ts'
import type { Turns } from './turns.ts'

const PIPELINE = 10_000
/** As our clock has it: so many commands are a millisecond of work. */
const COMMANDS_A_MS = 1000
/** A connection executes so many before it looks at the clock, at most. */
const COMMANDS_A_LOOK = 128
/** A turn begins with somebody's first look, and ends with a look. */
const TURN_COMMANDS_MAX = COMMANDS_A_MS + 2 * COMMANDS_A_LOOK

/** A peer that takes everything at once. */
class TestPeer extends Duplex {
  text = ''

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.text += bytes.toString('latin1')
    done()
  }

  override _read(): void {}
}

type Connect = (peer: Peer) => ByteConnection

const PROTOCOLS = {
  RESP: {
    get: '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n',
    nothing: '$-1\r\n',
    connector(service: TestService, turns: Turns): Connect {
      const writer = new ReplyWriter(256 * 1024)
      const departures = new Departures(writer, turns)
      return (peer) => new RespConnection(service, peer, writer, departures)
    },
  },
  memcached: {
    get: 'get key\r\n',
    nothing: 'END\r\n',
    connector(service: TestService, turns: Turns): Connect {
      const exchange = new Exchange(service.commands, {})
      const departures = new Departures(exchange.writer, turns)
      return (peer) => new MemcachedConnection(service, peer, exchange, departures)
    },
  },
} as const

const CASES = (['RESP', 'memcached'] as const).flatMap((name) => [1, 4, 40].map((count) => [name, count] as const))

test.each(CASES)('%s: beside %d pipelines of 10,000 gets who asks one thing waits for one turn', (name, count) => {
  const { get, nothing, connector } = PROTOCOLS[name]
  const service = new TestService()
  const loop = new TestLoop(() => service.statistics.total / COMMANDS_A_MS)
  const connect = connector(service, loop.turns())
  const join = () => {
    const peer = new TestPeer()
    const connection = connect(peer as unknown as Peer)
    return { peer, say: (bytes: Buffer) => connection.receive(bytes, 0, bytes.length) }
  }
  const hogs = Array.from({ length: count }, join)
  const polite = join()
  for (const hog of hogs) hog.say(Buffer.from(get.repeat(PIPELINE)))
  // The first has worked until the turn was over, the others as much as everybody may.
  expect(service.statistics.total).toBeLessThanOrEqual(TURN_COMMANDS_MAX + (count - 1) * COMMANDS_A_LOOK)
  let asked = 0
  while (loop.isBusy) {
    polite.say(Buffer.from(get))
    const before = service.statistics.total
    loop.turn()
    asked++
    expect(polite.peer.text, `after turn ${asked}`).toBe(nothing.repeat(asked))
    expect(service.statistics.total - before).toBeLessThanOrEqual(TURN_COMMANDS_MAX)
  }
  expect(service.statistics.total).toBe(count * PIPELINE + asked)
  for (const { peer } of hogs) expect(peer.text).toBe(nothing.repeat(PIPELINE))
})
