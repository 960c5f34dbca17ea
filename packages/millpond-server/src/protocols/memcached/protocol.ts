/** memcached's protocol, as a listener sees it. */
import type { Socket } from 'node:net'
import type { Host } from '../../commands/host.ts'
import type { ByteProtocol } from '../byte-protocol.ts'
import { Departures } from '../departures.ts'
import { MemcachedConnection } from './connection.ts'
import { Exchange } from './exchange.ts'
import type { MemcachedOptions } from './options.ts'

export class MemcachedProtocol implements ByteProtocol {
  readonly tooMany: Buffer = Buffer.from('ERROR Too many open connections\r\n')
  readonly denied: Buffer = Buffer.from(
    'ERROR only connections from the machine itself are accepted (protected-mode)\r\n',
  )
  readonly #host: Host
  /** All connections serve their requests with it, in turn. */
  readonly #exchange: Exchange
  readonly #departures: Departures

  constructor(host: Host, options: MemcachedOptions = {}) {
    this.#host = host
    this.#exchange = new Exchange(host.home.commands, options)
    this.#departures = new Departures(this.#exchange.writer)
  }

  connect(socket: Socket): MemcachedConnection {
    return new MemcachedConnection(this.#host.home, socket, this.#exchange, this.#departures)
  }
}
