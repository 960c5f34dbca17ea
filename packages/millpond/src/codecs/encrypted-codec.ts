import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { type Codec, jsonCodec } from '../core/codec.ts'
import { ValueError } from '../core/errors.ts'
import { CompressedCodec } from './compressed-codec.ts'
import { type EncryptionKey, EncryptionKeys, KEY_ID_CHARS, type NamedKey } from './encryption-keys.ts'

/** Options of `encryptedCodec`. */
export interface EncryptedCodecOptions {
  /** The first encrypts, all decrypt. To rotate: add the new one at the end, everywhere; then move it to the front. */
  keys: readonly EncryptionKey[]
  /** Makes what is encrypted. Default `jsonCodec`. To compress as well: `compressedCodec()`. */
  codec?: Codec
  /**
   * Also reads values that are not encrypted, until those that were stored before have gone. Who can write to the store
   * can then plant values of their own, so it is off by default, and such values are misses.
   */
  acceptPlain?: boolean
}

/**
 * A codec that encrypts, and notices when the text was changed: AES-256-GCM with a random nonce. The text is `!e1`, the
 * name of the key, and in base64 nonce, tag and what was encrypted. Mark and name are authenticated too. What has another
 * mark, an unknown key, or was tampered with throws `ValueError` when it is decoded, which for a cache is a miss and a
 * `decodeError`. Keys, tags and etags of entries are not values: a store sees them as they are, and sizes too.
 *
 * One key is good for 2^32 values (NIST SP 800-38D, section 8.3, for random nonces): rotate before that.
 *
 * @throws OptionError (`ERR_OPTION`)
 */
export function encryptedCodec(options: EncryptedCodecOptions): Codec {
  return new EncryptedCodec(options)
}

class EncryptedCodec implements Codec {
  readonly #keys: EncryptionKeys
  readonly #codec: Codec
  readonly #acceptPlain: boolean

  constructor({ keys, codec = jsonCodec, acceptPlain = false }: EncryptedCodecOptions) {
    this.#keys = new EncryptionKeys(keys)
    this.#codec = codec
    this.#acceptPlain = acceptPlain
  }

  encode(value: unknown): string {
    const key = this.#keys.current
    const head = MARK + key.id
    return head + seal(this.#bytesOf(value), key, head).toString('base64')
  }

  decode(text: string): unknown {
    if (!text.startsWith(FAMILY)) return this.#decodePlain(text)
    if (!text.startsWith(MARK)) throw new ValueError(undefined, 'encrypted in a later format than this version reads')
    const head = text.slice(0, MARK.length + KEY_ID_CHARS)
    const key = this.#keys.get(head.slice(MARK.length))
    if (key === undefined) throw new ValueError(undefined, 'encrypted with a key that is not among keys')
    return this.#valueOf(open(Buffer.from(text.slice(head.length), 'base64'), key, head))
  }

  #decodePlain(text: string): unknown {
    if (this.#acceptPlain) return this.#codec.decode(text)
    throw new ValueError(undefined, 'the value is not encrypted, and acceptPlain is off')
  }

  /** What is encrypted: a byte that says of what kind the others are, and these. */
  #bytesOf(value: unknown): Buffer {
    const packed = this.#codec instanceof CompressedCodec ? this.#codec.pack(value) : this.#codec.encode(value)
    return typeof packed === 'string' ? Buffer.from(TEXT + packed) : Buffer.concat([Buffer.from(PACKED), packed])
  }

  #valueOf(bytes: Buffer): unknown {
    const kind = bytes.toString('latin1', 0, 1)
    try {
      if (kind === TEXT) return this.#codec.decode(bytes.toString('utf8', 1))
      const codec = this.#codec instanceof CompressedCodec ? this.#codec : new CompressedCodec({ codec: this.#codec })
      if (kind === PACKED) return codec.unpack(bytes.subarray(1))
    } catch {
      // What the inner codec has to say may quote the value.
    }
    throw new ValueError(undefined, 'what was encrypted has another form than this codec reads')
  }
}

/** What all formats of this codec begin with. */
const FAMILY = '!e'
const MARK = '!e1'
const TEXT = 't'
const PACKED = 'z'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Nonce, tag and ciphertext of `plain`. */
function seal(plain: Buffer, { key }: NamedKey, head: string): Buffer {
  const sealed = Buffer.allocUnsafe(NONCE_BYTES + TAG_BYTES)
  const nonce = randomFillSync(sealed.subarray(0, NONCE_BYTES))
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(head))
  const encrypted = cipher.update(plain)
  cipher.final()
  cipher.getAuthTag().copy(sealed, NONCE_BYTES)
  return Buffer.concat([sealed, encrypted])
}

/** What `seal` was given. Throws where it is not whole. */
function open(sealed: Buffer, { key }: NamedKey, head: string): Buffer {
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(head))
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const plain = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES))
    decipher.final()
    return plain
  } catch (cause) {
    throw new ValueError(undefined, 'it was changed after it was encrypted, or cut off', { cause })
  }
}
