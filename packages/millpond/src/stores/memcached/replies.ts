/** Reads the bytes of a Memcached server: each reply is a line, and after `VA` a value of the length that the line says. */
import { StoreError } from '../../core/errors.ts'

/** One reply: `HD`, `VA 5 c12 t30`, `SERVER_ERROR out of memory`. */
export interface Reply {
  /** The first word. */
  readonly status: string
  readonly line: string
  /** The bytes that followed a `VA`. */
  readonly value?: Buffer
}

/** The part of a reply's line that begins with `name`, without it: for `VA 5 c12 t30`, `c` gives `12`. */
export function flagOf(reply: Reply, name: string): string | undefined {
  const found = reply.line.split(' ').find((word, at) => at > 0 && word.startsWith(name))
  return found?.slice(name.length)
}

/**
 * Takes bytes as they come and gives the replies that are whole. Chunks are kept apart until enough of them are there,
 * so that a large value that comes in many is put together once.
 */
export class ReplyReader {
  #chunks: Buffer[] = []
  #length = 0
  /** How many bytes there must be before it is worth to look again. */
  #needed = 1

  /** @throws StoreError when these are no replies of a Memcached server: nothing after them can be understood */
  take(chunk: Buffer): Reply[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#needed) return []
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#length)
    const replies: Reply[] = []
    const end = this.#read(bytes, replies)
    this.#chunks = end === bytes.length ? [] : [bytes.subarray(end)]
    this.#length = bytes.length - end
    return replies
  }

  /** Reads all whole replies and returns where they end. */
  #read(bytes: Buffer, replies: Reply[]): number {
    let at = 0
    for (;;) {
      const lineEnds = bytes.indexOf('\r\n', at)
      if (lineEnds === -1) return this.#wait(at, bytes.length - at + 1, bytes.length - at > LINE_BYTES_MAX)
      const line = bytes.toString('latin1', at, lineEnds)
      const status = line.split(' ', 1)[0]!
      if (status !== 'VA') {
        replies.push({ status, line })
        at = lineEnds + 2
        continue
      }
      const size = Number(line.split(' ', 2)[1])
      const starts = lineEnds + 2
      const whole = starts + size + 2 - at
      if (!(size <= VALUE_BYTES_MAX) || bytes.length - at < whole)
        return this.#wait(at, whole, !(size <= VALUE_BYTES_MAX))
      replies.push({ status, line, value: bytes.subarray(starts, starts + size) })
      at += whole
    }
  }

  #wait(at: number, needed: number, isNonsense: boolean): number {
    if (isNonsense) throw new StoreError('what answers does not speak the protocol of Memcached')
    this.#needed = needed
    return at
  }
}

const LINE_BYTES_MAX = 8192
/** Memcached itself stores no larger ones, whatever it is configured to. */
const VALUE_BYTES_MAX = 1024 ** 3
