/** A connection whose socket a worker has: the client that it is, and the commands that the worker can not run. */
import type { Service } from '../commands/service.ts'
import { RespConnection } from '../protocols/resp/connection.ts'
import type { ReplyWriter } from '../protocols/resp/reply-writer.ts'
import { LETTER, type Mail } from './mail.ts'
import type { RemotePeer } from './remote-peer.ts'
import { isPlain, stateOf } from './remote-state.ts'

/**
 * The worker runs commands of this client by itself only while it has been told that the client is plain, as of the last byte
 * that it has sent here. So a client is in one place at a time, and its answers come in order.
 */
export class RemoteConnection extends RespConnection {
  readonly peer: RemotePeer
  /** Called where the worker must know something at once: workers are out then, or the way is closed. */
  onNews: () => void
  /** Bytes that the peer has not taken, as its worker has told. */
  pending = 0
  readonly #mail: Mail
  readonly #number: number
  /** Bytes that have come, as 32 bits. */
  #taken = 0
  #told = -1
  #toldTaken = 0
  /** `super` calls methods of this class before there are fields. */
  readonly isMade: boolean = true

  constructor(service: Service, peer: RemotePeer, batch: ReplyWriter, mail: Mail, number: number, onNews: () => void) {
    super(service, peer, batch)
    this.peer = peer
    this.#mail = mail
    this.#number = number
    this.onNews = onNews
    this.tell()
  }

  override get outputBytes(): number {
    return super.outputBytes + this.pending
  }

  override receive(bytes: Buffer, start: number, end: number): void {
    this.#taken = (this.#taken + end - start) | 0
    super.receive(bytes, start, end)
    this.tell()
  }

  override resume(): void {
    super.resume()
    process.nextTick(() => this.tell())
  }

  /** What another one's command makes of this client, its worker must know before it runs anything more for it. */
  override setMode(mode: number, on: boolean): void {
    super.setMode(mode, on)
    if (!this.isMade || this.service.current === this || !isPlain(this.#told)) return
    this.tell()
    this.onNews()
  }

  override close(when: 'now' | 'after the answer'): void {
    super.close(when)
    if (isPlain(this.#told)) this.onNews()
  }

  /** Tells the worker how things are. */
  tell(): void {
    const state = stateOf(this, this.#isPlain)
    if (state === this.#told && this.#taken === this.#toldTaken) return
    this.#told = state
    this.#toldTaken = this.#taken
    this.#mail.write(LETTER.STATE, this.#number, this.#taken, state)
  }

  get #isPlain(): boolean {
    const { service } = this
    return (
      this.modes === 0 &&
      this.replies === 'on' &&
      this.waiting === undefined &&
      this.inputBytes === 0 &&
      service.sharing !== undefined &&
      service.logs.log === undefined
    )
  }
}
