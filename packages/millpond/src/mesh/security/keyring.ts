import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { OptionError } from '../../core/errors.ts'

/** A key of the mesh: 32 random bytes, or their text in base64 or hexadecimal. `openssl rand -base64 32` makes one. */
export type MeshKey = string | Uint8Array

/** A key that packets are sealed with: its id in the head, and the secret that keys are derived from. */
export interface RingKey {
  readonly id: number
  readonly secret: KeyObject
}

/**
 * The keys that the members of a mesh share. The first seals; all open. To change the key without an interruption,
 * give every process both, the old one first; then the new one first; then the new one alone.
 */
export class Keyring {
  /** The key that seals, or `undefined` where nothing is sealed. */
  readonly first: RingKey | undefined
  readonly #byId = new Map<number, RingKey>()

  /** Throws `OptionError` where a key is not of 32 bytes. No keys: the mesh is not sealed. */
  constructor(keys: readonly MeshKey[]) {
    for (const key of keys.map(ringKey)) {
      this.first ??= key
      // One pair of keys in 255: a packet must not be tried with both.
      if (this.#byId.has(key.id))
        throw new OptionError(
          'key',
          'a key',
          'two of the keys have the same short id, or are the same: make another one',
        )
      this.#byId.set(key.id, key)
    }
  }

  /** The key of an id in a head. */
  get(id: number): RingKey | undefined {
    return this.#byId.get(id)
  }
}

/** A key for one purpose, derived from a shared one (HKDF with SHA-256, RFC 5869). */
export function deriveKey(secret: KeyObject, salt: Uint8Array, purpose: string, context: Uint8Array): KeyObject {
  const info = Buffer.concat([Buffer.from(`millpond mesh ${purpose} v1\0`), context])
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, salt, info, KEY_BYTES)))
}

/** A number that stands for a mesh's name in every head: not secret, it only keeps meshes that share a network apart. */
export function clusterId(name: string): number {
  return createHash('sha256').update(`millpond mesh cluster\0${name}`).digest().readUInt32LE(0)
}

const KEY_BYTES = 32

function ringKey(key: MeshKey): RingKey {
  const bytes = typeof key === 'string' ? parseKey(key) : key
  if (!(bytes instanceof Uint8Array) || bytes.length !== KEY_BYTES)
    throw new OptionError(
      'key',
      bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof key,
      'give 32 random bytes, as `openssl rand -base64 32` makes them',
    )
  const secret = createSecretKey(Uint8Array.from(bytes))
  // Eight bits of 256 are told, so that a receiver knows which key to try; 0 stands for none.
  return { id: 1 + (createHash('sha256').update('millpond mesh key id\0').update(bytes).digest()[0]! % 255), secret }
}

function parseKey(text: string): Uint8Array {
  return Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64')
}
