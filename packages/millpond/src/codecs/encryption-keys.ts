import { Buffer } from 'node:buffer'
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { OptionError } from '../core/errors.ts'

/** A key of AES-256: 32 bytes, or their text in base64 or hex. `openssl rand -base64 32` makes one. */
export type EncryptionKey = Uint8Array | string

/** A key with the name that it has in what is encrypted with it. */
export interface NamedKey {
  readonly id: string
  readonly key: KeyObject
}

/**
 * The keys of an encrypting codec: the first encrypts, all of them decrypt. A key is named by the beginning of its hash,
 * so the order of the list says nothing, and nobody has to number keys. They are held as `KeyObject`, which shows no bytes.
 */
export class EncryptionKeys {
  readonly current: NamedKey
  readonly #byId = new Map<string, NamedKey>()

  /** @throws OptionError (`ERR_OPTION`) that names the place of a key, and never a key */
  constructor(keys: readonly EncryptionKey[]) {
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new OptionError('keys', HIDDEN, 'give a list of keys: first the one that encrypts, then older ones')
    }
    const named = keys.map((key, at) => nameOf(bytesOf(key, at)))
    for (const key of named) this.#byId.set(key.id, key)
    this.current = named[0]!
  }

  get(id: string): NamedKey | undefined {
    return this.#byId.get(id)
  }
}

/** How many characters the name of a key has. */
export const KEY_ID_CHARS = 8

const KEY_BYTES = 32
const HIDDEN = 'what was given'

function bytesOf(key: EncryptionKey, at: number): Buffer {
  const bytes =
    typeof key === 'string' ? fromText(key.trim()) : key instanceof Uint8Array ? Buffer.from(key) : undefined
  if (bytes?.length === KEY_BYTES) return bytes
  const found = bytes === undefined ? 'it is neither' : `it has ${bytes.length}`
  throw new OptionError(`keys[${at}]`, HIDDEN, `give 32 bytes, or their text in base64 or hex; ${found}`)
}

function fromText(text: string): Buffer | undefined {
  if (/^[\da-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  return /^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

function nameOf(bytes: Buffer): NamedKey {
  const hash = createHash('sha256').update('millpond key id\0').update(bytes).digest('base64url')
  return { id: hash.slice(0, KEY_ID_CHARS), key: createSecretKey(bytes) }
}
