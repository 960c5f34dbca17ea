/** Reads commands from the bytes of a connection, in place. */
import type { Arguments } from '../../engine/arguments.ts'

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36

/** What the peer sent is not the protocol: it is told so, and the connection ends. */
export class ProtocolError extends Error {}

export class RequestParser {
  /** Where the next command begins, after `next` returned true. */
  at = 0

  /** Reads the command that begins at `from`. `false`: its end has not come yet. */
  next(args: Arguments, bytes: Buffer, from: number, end: number): boolean {
    args.begin(bytes)
    if (from >= end) return false
    if (bytes[from] !== STAR) return this.#inline(args, bytes, from, end)
    const count = this.#length(bytes, from + 1, end)
    if (count === undefined) return false
    if (count > 1024 * 1024) throw new ProtocolError('invalid multibulk length')
    for (let left = count; left > 0; left--) {
      if (this.at >= end) return false
      if (bytes[this.at] !== DOLLAR) {
        throw new ProtocolError(`expected '$', got '${String.fromCharCode(bytes[this.at]!)}'`)
      }
      const length = this.#length(bytes, this.at + 1, end)
      if (length === undefined) return false
      if (length < 0 || length > 512 * 1024 * 1024) throw new ProtocolError('invalid bulk length')
      const start = this.at
      if (start + length + 2 > end) return false
      args.add(start, start + length)
      this.at = start + length + 2
    }
    return true
  }

  #length(bytes: Buffer, from: number, end: number): number | undefined {
    let value = 0
    const negative = bytes[from] === 45
    for (let at = negative ? from + 1 : from; at < end; at++) {
      const byte = bytes[at]!
      if (byte === CR) {
        if (at + 1 >= end) return undefined
        this.at = at + 2
        return negative ? -value : value
      }
      if (byte < 48 || byte > 57) throw new ProtocolError('invalid multibulk length')
      value = value * 10 + byte - 48
    }
    return undefined
  }

  #inline(args: Arguments, bytes: Buffer, from: number, end: number): boolean {
    const line = bytes.indexOf(LF, from)
    if (line < 0 || line >= end) return false
    this.at = line + 1
    for (const word of bytes.toString('latin1', from, line).matchAll(/\S+/g)) {
      args.add(from + word.index, from + word.index + word[0].length)
    }
    return true
  }
}
