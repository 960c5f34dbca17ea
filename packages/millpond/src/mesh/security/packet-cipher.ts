import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { PeerId } from '../link/link.ts'
import { HEAD_BYTES, PacketFlags, writePeerId } from '../wire/packet.ts'

export const TAG_BYTES = 16
export const CHECKSUM_BYTES = 4

/**
 * Seals and opens the body of one packet with AES-256-GCM: the nonce is the packet number, the head is authenticated
 * with it, and so is the receiver of a direct packet. Without a key the same bytes get a CRC-32, against accidents only.
 *
 * The buffers for nonce and head are reused: what node:crypto makes itself is the only garbage of a packet.
 */
export class PacketCipher {
  /** The head, and room for the receiver's id. */
  readonly #directHead: Buffer = Buffer.alloc(HEAD_BYTES + 8)
  readonly #head: Buffer = this.#directHead.subarray(0, HEAD_BYTES)
  readonly #nonce: Buffer = Buffer.alloc(12)

  /** Protects `body` into `datagram`, which begins with its head and has room for the tag. */
  seal(key: KeyObject | undefined, number: number, body: Uint8Array, datagram: Buffer, to: PeerId | undefined): void {
    const head = this.#authenticated(datagram, to)
    const end = HEAD_BYTES + body.length
    if (key === undefined) {
      datagram.set(body, HEAD_BYTES)
      datagram.writeUInt32LE(crc32(body, crc32(head)), end)
      return
    }
    this.#nonce.writeUIntLE(number, 6, 6)
    const cipher = createCipheriv('aes-256-gcm', key, this.#nonce)
    cipher.setAAD(head)
    datagram.set(cipher.update(body), HEAD_BYTES)
    cipher.final()
    datagram.set(cipher.getAuthTag(), end)
  }

  /** The body of a packet, or `undefined` where one bit of it, or its receiver, is not what was sealed. */
  open(key: KeyObject | undefined, number: number, datagram: Buffer, self: PeerId): Buffer | undefined {
    const head = this.#authenticated(datagram, (datagram[4]! & PacketFlags.direct) === 0 ? undefined : self)
    if (key === undefined) {
      const end = datagram.length - CHECKSUM_BYTES
      const body = datagram.subarray(HEAD_BYTES, end)
      return crc32(body, crc32(head)) === datagram.readUInt32LE(end) ? body : undefined
    }
    const end = datagram.length - TAG_BYTES
    this.#nonce.writeUIntLE(number, 6, 6)
    const decipher = createDecipheriv('aes-256-gcm', key, this.#nonce, TAG_OPTIONS)
    decipher.setAAD(head)
    decipher.setAuthTag(datagram.subarray(end))
    const body = decipher.update(datagram.subarray(HEAD_BYTES, end))
    try {
      decipher.final()
      return body
    } catch {
      return undefined
    }
  }

  #authenticated(datagram: Buffer, to: PeerId | undefined): Buffer {
    datagram.copy(this.#directHead, 0, 0, HEAD_BYTES)
    if (to === undefined) return this.#head
    writePeerId(this.#directHead, to, HEAD_BYTES)
    return this.#directHead
  }
}

const TAG_OPTIONS = { authTagLength: TAG_BYTES }
