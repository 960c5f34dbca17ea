/** One connection that speaks RESP: bytes in, commands executed, bytes out. */
import type { Socket } from 'node:net'
import { Client } from '../../commands/client.ts'
import { execute } from '../../commands/executor.ts'
import type { Service } from '../../commands/service.ts'
import { Arguments } from '../../engine/arguments.ts'
import { ReplyWriter } from './reply-writer.ts'
import { ProtocolError, RequestParser } from './request-parser.ts'

export class RespConnection extends Client {
  readonly #socket: Socket
  readonly #args = new Arguments()
  readonly #parser = new RequestParser()
  readonly #reply = new ReplyWriter()
  #rest: Buffer = Buffer.alloc(0)

  constructor(service: Service, socket: Socket) {
    super(service.nextClientId(), service)
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      service.waiters.release(this)
      this.discard()
    })
  }

  override resume(): void {
    process.nextTick(() => this.#receive(Buffer.alloc(0)))
  }

  #receive(bytes: Buffer): void {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    this.service.time.tick()
    let at = 0
    try {
      while (this.waiting === undefined && this.#parser.next(this.#args, all, at, all.length)) {
        at = this.#parser.at
        if (this.#args.count > 0) execute(this, this.#args, this.#reply)
        this.#reply.protocol = this.protocol
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#reply.error(`ERR Protocol error: ${error.message}`)
      this.#socket.end(this.#reply.take())
      return
    }
    all = Buffer.from(all.subarray(at))
    this.#rest = all
    this.service.statistics.end()
    if (this.#reply.length > 0) this.#socket.write(this.#reply.take())
  }
}
