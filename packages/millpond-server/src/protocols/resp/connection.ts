/** One connection that speaks RESP: bytes in, commands executed, bytes out. */
import type { Socket } from 'node:net'
import type { Client } from '../../commands/client.ts'
import { execute } from '../../commands/executor.ts'
import type { Service } from '../../commands/service.ts'
import { Arguments } from '../../engine/arguments.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { ReplyWriter } from './reply-writer.ts'
import { ProtocolError, RequestParser } from './request-parser.ts'

export class RespConnection implements Client {
  readonly id: number
  readonly service: Service
  db: Keyspace
  readonly #socket: Socket
  readonly #args = new Arguments()
  readonly #parser = new RequestParser()
  readonly #reply = new ReplyWriter()
  #rest: Buffer = Buffer.alloc(0)

  constructor(id: number, service: Service, socket: Socket) {
    this.id = id
    this.service = service
    this.db = service.databases[0]!
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', () => socket.destroy())
  }

  get protocol(): 2 | 3 {
    return this.#reply.protocol
  }

  set protocol(version: 2 | 3) {
    this.#reply.protocol = version
  }

  block(): void {
    this.#reply.nilArray()
  }

  logAs(): void {}

  #receive(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    this.service.time.tick()
    let at = 0
    try {
      while (this.#parser.next(this.#args, all, at, all.length)) {
        at = this.#parser.at
        if (this.#args.count > 0) execute(this, this.#args, this.#reply)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#reply.error(`ERR Protocol error: ${error.message}`)
      this.#socket.end(this.#reply.take())
      return
    }
    this.#rest = Buffer.from(all.subarray(at))
    if (this.#reply.length > 0) this.#socket.write(this.#reply.take())
  }
}
