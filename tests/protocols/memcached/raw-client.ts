/** A connection to a server of memcached's protocol that knows where the answers of one request end: a sentinel follows each. */
import { once } from 'node:events'
import net from 'node:net'
import { type FuzzRequest, frame } from './requests.ts'

const SENTINEL = Buffer.from('mn\r\n')
const SENTINEL_ANSWER = 'MN\r\n'
const NOOP = frame(0x0a, Buffer.alloc(0), '', '')
const NOOP_OPCODE = 0x0a
const HEAD_BYTES = 24
/** No answer takes longer, on a machine that does other things, too. */
const PATIENCE_MS = 20_000

export class RawClient {
  readonly #binary: boolean
  readonly #socket: net.Socket
  #text = ''
  #heard = (): void => {}

  private constructor(socket: net.Socket, binary: boolean) {
    this.#socket = socket
    this.#binary = binary
    socket.setEncoding('latin1').on('data', (more: string) => {
      this.#text += more
      this.#heard()
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#heard())
  }

  static async connect(port: number, binary: boolean): Promise<RawClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket, binary)
  }

  /** The answers to each request, as byte strings. */
  async send(requests: readonly FuzzRequest[]): Promise<string[]> {
    const sentinel = this.#binary ? NOOP : SENTINEL
    this.#socket.write(Buffer.concat(requests.flatMap(({ bytes }) => [bytes, sentinel])))
    const answers: string[] = []
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE_MS)
    while (answers.length < requests.length) {
      const end = this.#binary ? this.#noop() : this.#text.indexOf(SENTINEL_ANSWER)
      if (end >= 0) {
        answers.push(this.#text.slice(0, end))
        this.#text = this.#text.slice(end + sentinel.length)
      } else if (this.#socket.destroyed) {
        throw new Error(
          `the connection ended after ${answers.length} of ${requests.length} answers: ${this.#text.slice(0, 500)}`,
        )
      } else await new Promise<void>((resolve) => (this.#heard = resolve))
    }
    clearTimeout(timer)
    return answers
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Where the answer to the sentinel begins; -1: it has not come. */
  #noop(): number {
    for (const { at, opcode } of framesOf(this.#text)) if (opcode === NOOP_OPCODE) return at
    return -1
  }
}

/** One answer of the binary protocol. */
export interface Frame {
  readonly at: number
  readonly opcode: number
  readonly status: number
  readonly cas: bigint
  /** Everything but the cas. */
  readonly rest: string
}

/** The whole answers in a byte string. */
export function framesOf(text: string): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + HEAD_BYTES <= text.length; ) {
    const head = Buffer.from(text.slice(at, at + HEAD_BYTES), 'latin1')
    const end = at + HEAD_BYTES + head.readUInt32BE(8)
    if (end > text.length) break
    const rest = text.slice(at, at + 16) + text.slice(at + HEAD_BYTES, end)
    frames.push({ at, opcode: head[1]!, status: head.readUInt16BE(6), cas: head.readBigUInt64BE(16), rest })
    at = end
  }
  return frames
}
