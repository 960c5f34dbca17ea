/** Reads RESP3 from a socket: bytes in, whole replies out. */

/** What a server answers. Maps keep their order; sets are lists; an error inside a list stands where it was given. */
export type ServiceReply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | ReplyFailure
  | readonly ServiceReply[]
  | ReadonlyMap<ServiceReply, ServiceReply>

/** An error as the server words it: `WRONGTYPE Operation against a key …`. */
export class ReplyFailure {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The word by which such errors are told apart. */
  get word(): string {
    return this.text.split(' ', 1)[0]!
  }
}

/** What a reader hands on. */
export interface ReplyListener {
  /** Whether bulk strings of the reply that begins now stay bytes. */
  readonly wantsBytes: boolean
  reply(reply: ServiceReply): void
  /** What nobody asked for: a message of a channel. */
  push(parts: readonly ServiceReply[]): void
}

/** A list, map or push of which parts are missing. */
interface Open {
  readonly kind: string
  left: number
  readonly parts: ServiceReply[]
}

/**
 * Keeps what is open on a stack, so that a long list is not read again from its beginning with every packet; and packets of a long
 * string as they come, so that they are put together once.
 */
export class ReplyReader {
  readonly #listener: ReplyListener
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Packets that have come behind `#bytes`, while these and they are less than is needed to go on. */
  #packets: Buffer[] = []
  #packetBytes = 0
  #needed = 0
  readonly #open: Open[] = []
  #asBytes = false

  constructor(listener: ReplyListener) {
    this.#listener = listener
  }

  /** Takes a packet, and hands on every reply that is whole with it. @throws Error when this is no RESP3 */
  take(packet: Buffer): void {
    this.#packets.push(packet)
    this.#packetBytes += packet.length
    if (this.#bytes.length - this.#at + this.#packetBytes < this.#needed) return
    const rest = this.#bytes.subarray(this.#at)
    this.#bytes = rest.length === 0 && this.#packets.length === 1 ? packet : Buffer.concat([rest, ...this.#packets])
    this.#at = 0
    this.#packets = []
    this.#packetBytes = 0
    this.#needed = 0
    while (this.#at < this.#bytes.length && this.#next());
  }

  /** Reads one item. Returns whether it was whole. */
  #next(): boolean {
    const ends = this.#bytes.indexOf(CR_LF, this.#at)
    if (ends < 0) {
      if (this.#bytes.length - this.#at > LINE_BYTES_MAX) throw new Error('it answered a line without an end')
      return false
    }
    if (this.#open.length === 0) this.#asBytes = this.#listener.wantsBytes
    const kind = String.fromCharCode(this.#bytes[this.#at]!)
    const text = this.#bytes.toString('utf8', this.#at + 1, ends)
    if (BULKS.includes(kind)) return this.#bulk(kind, lengthOf(text), ends + 2)
    this.#at = ends + 2
    if (LISTS.includes(kind)) this.#begin(kind, lengthOf(text))
    else this.#add(simple(kind, text))
    return true
  }

  #bulk(kind: string, length: number, start: number): boolean {
    const ends = start + length
    if (this.#bytes.length < ends + 2 && length >= 0) {
      this.#needed = ends + 2 - this.#at
      return false
    }
    this.#at = length < 0 ? start : ends + 2
    if (length < 0) this.#add(null)
    else if (kind === '!') this.#add(new ReplyFailure(this.#bytes.toString('utf8', start, ends)))
    // Verbatim text begins with its format: `txt:`.
    else if (kind === '=') this.#add(this.#bytes.toString('utf8', start + 4, ends))
    else if (this.#asBytes) this.#add(Buffer.from(this.#bytes.subarray(start, ends)))
    else this.#add(this.#bytes.toString('utf8', start, ends))
    return true
  }

  #begin(kind: string, length: number): void {
    if (length < 0) {
      this.#add(null)
      return
    }
    const left = PAIRED.includes(kind) ? length * 2 : length
    this.#open.push({ kind, left, parts: [] })
    if (left === 0) this.#close()
  }

  #add(part: ServiceReply): void {
    const open = this.#open.at(-1)
    if (open === undefined) {
      this.#listener.reply(part)
      return
    }
    open.parts.push(part)
    if (--open.left === 0) this.#close()
  }

  #close(): void {
    const { kind, parts } = this.#open.pop()!
    if (kind === '>') this.#listener.push(parts)
    else if (kind === '%') this.#add(mapOf(parts))
    // An attribute says something about the reply that follows; nothing here asks for it.
    else if (kind !== '|') this.#add(parts)
  }
}

const CR_LF = '\r\n'
const BULKS = '$!='
const LISTS = '*~%>|'
const PAIRED = '%|'
const LINE_BYTES_MAX = 64 * 1024

function simple(kind: string, text: string): ServiceReply {
  switch (kind) {
    case '+':
      return text
    case '-':
      return new ReplyFailure(text)
    case ':':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
    case ',':
      return text === 'inf' ? Number.POSITIVE_INFINITY : text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text)
    case '#':
      return text === 't'
    case '(':
      return BigInt(text)
    case '_':
      return null
    default:
      throw new Error(`it answered what is no RESP: ${JSON.stringify((kind + text).slice(0, 60))}`)
  }
}

function lengthOf(text: string): number {
  const length = Number(text)
  if (!Number.isSafeInteger(length) || text === '') throw new Error(`it answered a length of ${JSON.stringify(text)}`)
  return length
}

function mapOf(parts: readonly ServiceReply[]): ReadonlyMap<ServiceReply, ServiceReply> {
  const map = new Map<ServiceReply, ServiceReply>()
  for (let at = 0; at < parts.length; at += 2) map.set(parts[at]!, parts[at + 1]!)
  return map
}
