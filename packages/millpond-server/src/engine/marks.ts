/**
 * What memcached keeps of a string beside its bytes: the client's flags, a number that changes with every change (cas), and
 * whether it was fetched, is stale, and somebody was told to renew it. Only strings that need them have marks.
 */
import type { ArenaView } from 'millpond/memory'

/** Bits of an item's word, above those of STRING_FORM. The first two say that so many bytes stand behind the string's own. */
export const MARK = {
  CLIENT_FLAGS: 4,
  CAS: 8,
  /** Somebody has read it since it was stored. */
  FETCHED: 16,
  /** Its value is old, and may be served until there is a new one. */
  STALE: 32,
  /** Somebody was told to store a new value. */
  WON: 64,
  /** Its key was given, and is told, in base64. */
  BINARY_KEY: 128,
} as const

/** Bits that announce bytes behind the string's own; their sum is how many. */
export const TAIL_BITS: number = MARK.CLIENT_FLAGS | MARK.CAS

/** Takes the marks off what is shown of a string. */
export function hideMarks(view: ArenaView): void {
  view.end -= view.flags & TAIL_BITS
}

/** The marks of one string: read from it, changed, and written with it again. Made once, filled for each. */
export class Marks {
  /** Of MARK. */
  bits = 0
  /** 32 bits. */
  clientFlags = 0
  /** 0: nobody has asked for it yet. */
  cas = 0
  readonly #tails: readonly Buffer[] = [0, 4, 8, 12].map((length) => Buffer.alloc(length))

  /** No marks but these flags. */
  start(clientFlags: number): void {
    this.bits = 0
    this.clientFlags = clientFlags
    this.cas = 0
  }

  /** Takes over the marks of a string, and takes them off what is shown of it. */
  read(view: ArenaView): void {
    const { flags } = view
    this.bits = flags & ~3
    this.clientFlags = this.cas = 0
    if ((flags & TAIL_BITS) === 0) return
    hideMarks(view)
    let at = view.end
    if ((flags & MARK.CAS) !== 0) {
      this.cas = uint32(view.bytes, at) * 2 ** 32 + uint32(view.bytes, at + 4)
      at += 8
    }
    if ((flags & MARK.CLIENT_FLAGS) !== 0) this.clientFlags = uint32(view.bytes, at)
  }

  /** The bytes to stand behind the string's own, valid until the next call; `bits` says so then. `undefined`: none. */
  tail(): Uint8Array | undefined {
    this.bits &= ~TAIL_BITS
    if (this.cas !== 0) this.bits |= MARK.CAS
    if (this.clientFlags !== 0) this.bits |= MARK.CLIENT_FLAGS
    const length = this.bits & TAIL_BITS
    if (length === 0) return undefined
    const tail = this.#tails[length / 4]!
    if (this.cas !== 0) {
      tail.writeUInt32BE(Math.floor(this.cas / 2 ** 32), 0)
      tail.writeUInt32BE(this.cas % 2 ** 32, 4)
    }
    if (this.clientFlags !== 0) tail.writeUInt32BE(this.clientFlags, length - 4)
    return tail
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
