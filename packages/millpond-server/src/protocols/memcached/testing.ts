/** For tests of the protocol: connections without sockets, whose bytes are given and taken by hand. */
import { Duplex } from 'node:stream'
import { TestService } from '../../commands/testing.ts'
import { Departures } from '../departures.ts'
import type { Peer } from '../output.ts'
import { MemcachedConnection } from './connection.ts'
import { Exchange } from './exchange.ts'
import type { MemcachedOptions } from './options.ts'

/** A socket that keeps what is written to it. */
class TestPeer extends Duplex {
  readonly written: Buffer[] = []

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(bytes))
    done()
  }

  override _read(): void {}

  destroySoon(): void {
    this.destroy()
  }
}

/** One service, and connections to it. */
export class MemcachedTest {
  readonly service: TestService
  readonly #exchange: Exchange
  readonly #departures: Departures

  constructor(options: MemcachedOptions = {}, service: TestService = new TestService()) {
    this.service = service
    this.#exchange = new Exchange(service.commands, options)
    this.#departures = new Departures(this.#exchange.writer)
  }

  connect(): TestConnection {
    return new TestConnection(this.service, this.#exchange, this.#departures)
  }
}

/** Room before what is read, as a listener leaves it. */
const HEADROOM = 64

export class TestConnection {
  readonly client: MemcachedConnection
  readonly #peer = new TestPeer()
  readonly #departures: Departures

  constructor(service: TestService, exchange: Exchange, departures: Departures) {
    this.#departures = departures
    this.client = new MemcachedConnection(service, this.#peer as unknown as Peer, exchange, departures)
  }

  /** Whether the server has ended it. */
  get ended(): boolean {
    return this.#peer.destroyed
  }

  /** Gives bytes, in pieces of so many, and returns what was answered. Texts are byte strings. */
  say(text: string | Buffer, piece: number = Number.POSITIVE_INFINITY, headroom: number = HEADROOM): string {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, Math.min(bytes.length, at + piece))
      const memory = Buffer.alloc(headroom + part.length)
      part.copy(memory, headroom)
      this.client.receive(memory, headroom, memory.length)
    }
    return this.taken()
  }

  /** What was answered and not yet taken. */
  taken(): string {
    this.#departures.flush()
    return Buffer.concat(this.#peer.written.splice(0)).toString('latin1')
  }

  /** The answers of lines, one command each. */
  ask(...lines: readonly string[]): string[] {
    const answer = this.say(lines.map((line) => `${line}\r\n`).join(''))
    return answer === '' ? [] : answer.slice(0, -2).split('\r\n')
  }

  /** Stores a value by `set`. */
  set(key: string, value: string, clientFlags = 0, exptime = 0): string {
    return this.ask(`set ${key} ${clientFlags} ${exptime} ${value.length}\r\n${value}`)[0]!
  }

  /** The cas of an item. */
  cas(key: string): number {
    return Number(this.ask(`gets ${key}`)[0]!.split(' ')[4])
  }
}
