/** Letters between two threads: many small ones in one message, since a message costs as much as ten commands. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** What a letter is about. `peer` is a connection's number. */
export const LETTER = {
  /** Worker to home: bytes that a peer has sent. Home to worker: bytes for a peer. */
  BYTES: 0,
  /** Home to worker: how many bytes of a peer home has taken, and what the peer's client is there (`remote-state.ts`). */
  STATE: 1,
  /** Home to worker: end the connection when everything is sent. */
  END: 2,
  /** Home to worker: end it now. Worker to home: it has ended. */
  GONE: 3,
  /** Anything else: `note` is an object. */
  NOTE: 4,
} as const
export type Letter = (typeof LETTER)[keyof typeof LETTER]

/** What a thread is sent. */
interface Message {
  /** Five words a letter: what it is about, peer, two numbers, how many of the bytes are its own. */
  readonly heads: Int32Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly notes: readonly unknown[]
}

export interface Reader {
  letter(kind: Letter, peer: number, one: number, other: number, bytes: Buffer): void
  note(note: unknown): void
  /** All letters of a message are read. */
  read?(): void
}

const HEAD_WORDS = 5
const HEADS_FIRST = 64 * HEAD_WORDS
const BYTES_FIRST = 64 * 1024
/** Letters are sent when they have so many bytes, even if more are to come. */
const FULL_BYTES = 1024 * 1024

export class Mail {
  readonly #port: MessagePort
  readonly #reader: Reader
  #heads = new Int32Array(HEADS_FIRST)
  #headsLength = 0
  #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_FIRST)
  #bytesLength = 0
  #notes: unknown[] = []
  #due = false

  constructor(port: MessagePort, reader: Reader) {
    this.#port = port
    this.#reader = reader
    port.on('message', (message: Message) => this.#read(message))
  }

  /** Letters go out at the end of this turn of the event loop, in the order in which they were written. */
  write(
    kind: Letter,
    peer: number,
    one = 0,
    other = 0,
    bytes: Uint8Array = NOTHING,
    start = 0,
    end: number = bytes.length,
  ): void {
    if (this.#headsLength + HEAD_WORDS > this.#heads.length) {
      const larger = new Int32Array(this.#heads.length * 2)
      larger.set(this.#heads)
      this.#heads = larger
    }
    this.#heads.set([kind, peer, one, other, end - start], this.#headsLength)
    this.#headsLength += HEAD_WORDS
    if (end > start) this.#append(bytes, start, end)
    if (this.#bytesLength >= FULL_BYTES) this.send()
    else this.#sendSoon()
  }

  /** As `write`, an object of which the other thread gets a copy. */
  note(note: unknown): void {
    this.#notes.push(note)
    this.write(LETTER.NOTE, 0)
  }

  /** Sends what was written now. */
  send(): void {
    if (this.#headsLength === 0) return
    const heads = this.#heads.slice(0, this.#headsLength)
    const bytes = new Uint8Array(this.#bytesLength)
    bytes.set(this.#bytes.subarray(0, this.#bytesLength))
    const message: Message = { heads, bytes, notes: this.#notes }
    this.#headsLength = 0
    this.#bytesLength = 0
    if (this.#notes.length > 0) this.#notes = []
    this.#port.postMessage(message, [heads.buffer, bytes.buffer])
  }

  /** Reads what has come, without waiting for the event loop. */
  readNow(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      this.#read(got.message as Message)
    }
  }

  close(): void {
    this.send()
    this.#port.close()
  }

  #read({ heads, bytes, notes }: Message): void {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let note = 0
    let at = 0
    for (let head = 0; head < heads.length; head += HEAD_WORDS) {
      const kind = heads[head] as Letter
      if (kind === LETTER.NOTE) this.#reader.note(notes[note++])
      else {
        const end = at + heads[head + 4]!
        this.#reader.letter(kind, heads[head + 1]!, heads[head + 2]!, heads[head + 3]!, all.subarray(at, end))
        at = end
      }
    }
    this.#reader.read?.()
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#bytesLength + end - start
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#bytesLength)
      this.#bytes = larger
    }
    this.#bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#bytesLength)
    this.#bytesLength = needed
  }

  #sendSoon(): void {
    if (this.#due) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.send()
    })
  }
}

const NOTHING = new Uint8Array(0)
