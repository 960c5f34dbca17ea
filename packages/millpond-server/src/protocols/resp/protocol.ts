/** RESP, as a listener sees it. */
import type { Socket } from 'node:net'
import type { Host } from '../../commands/host.ts'
import type { ByteProtocol } from '../byte-protocol.ts'
import { Departures } from '../departures.ts'
import { DENIED } from '../protected-mode.ts'
import { RespConnection } from './connection.ts'
import { ReplyWriter } from './reply-writer.ts'

const PIECE_BYTES = 256 * 1024
export const TOO_MANY: Buffer = Buffer.from('-ERR max number of clients reached\r\n')

export class RespProtocol implements ByteProtocol {
  readonly tooMany: Buffer = TOO_MANY
  readonly denied: Buffer = DENIED
  readonly #host: Host
  /** All connections write their answers here in turn. */
  readonly #writer = new ReplyWriter(PIECE_BYTES)
  readonly #departures = new Departures(this.#writer)

  constructor(host: Host) {
    this.#host = host
  }

  connect(socket: Socket): RespConnection {
    return new RespConnection(this.#host.home, socket, this.#writer, this.#departures)
  }
}
