import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { CHECKSUM_BYTES, TAG_BYTES } from './packet-cipher.ts'

/**
 * Seals or opens the frames of one direction of a stream, in their order: a length of 4 bytes, whose top bit says that this
 * is the last frame, the message, and a tag. The nonce counts the frames, so none can be left out, repeated or moved. Without a key
 * a CRC-32 of head and message takes the tag's place.
 */
export class FrameCipher {
  readonly tagBytes: number
  readonly #key: KeyObject | undefined
  readonly #nonce = Buffer.alloc(12)
  #count = 0

  constructor(key: KeyObject | undefined) {
    this.#key = key
    this.tagBytes = key ? TAG_BYTES : CHECKSUM_BYTES
  }

  /** A frame of a message. */
  seal(message: Uint8Array, last: boolean): Buffer {
    const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + message.length + this.tagBytes)
    const end = FRAME_HEAD_BYTES + message.length
    frame.writeUInt32LE((message.length | (last ? LAST : 0)) >>> 0, 0)
    const head = frame.subarray(0, FRAME_HEAD_BYTES)
    if (this.#key === undefined) {
      frame.set(message, FRAME_HEAD_BYTES)
      frame.writeUInt32LE(crc32(message, crc32(head, this.#count++)), end)
      return frame
    }
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nextNonce())
    cipher.setAAD(head)
    frame.set(cipher.update(message), FRAME_HEAD_BYTES)
    cipher.final()
    frame.set(cipher.getAuthTag(), end)
    return frame
  }

  /** The message of a frame's head and rest, or `undefined` where it is not the next that was sealed. */
  open(head: Buffer, rest: Buffer): Buffer | undefined {
    const end = rest.length - this.tagBytes
    const message = rest.subarray(0, end)
    if (this.#key === undefined)
      return crc32(message, crc32(head, this.#count++)) === rest.readUInt32LE(end) ? message : undefined
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nextNonce(), { authTagLength: TAG_BYTES })
    decipher.setAAD(head)
    decipher.setAuthTag(rest.subarray(end))
    const opened = decipher.update(message)
    try {
      decipher.final()
      return opened
    } catch {
      return undefined
    }
  }

  #nextNonce(): Buffer {
    this.#nonce.writeUIntLE(this.#count++, 6, 6)
    return this.#nonce
  }
}

/** What the head of a frame says. */
export function readFrameHead(bytes: Buffer): { readonly length: number; readonly last: boolean } {
  const word = bytes.readUInt32LE(0)
  return { length: (word & ~LAST) >>> 0, last: (word & LAST) !== 0 }
}

export const FRAME_HEAD_BYTES = 4
const LAST = 0x8000_0000
