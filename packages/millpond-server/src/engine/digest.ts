/** A fingerprint of what keys hold, the same that Redis tells by DEBUG DIGEST: the same data, the same digest, in whatever order they came. */
import { hash } from 'node:crypto'
import type { Held, Keyspace } from './keyspace.ts'
import { formatDouble } from './numbers.ts'
import { Span } from './span.ts'
import type { Collection } from './value.ts'
import { Hash } from './values/hash.ts'
import { List } from './values/list.ts'
import { SetValue } from './values/set.ts'
import { SortedSet } from './values/sorted-set.ts'
import { Stream } from './values/stream.ts'
import type { FieldSink } from './values/stream-block.ts'
import { MAX_ID, MIN_ID } from './values/stream-id.ts'

/** How types are numbered. */
const TYPES = { string: 0, list: 1, set: 2, zset: 3, hash: 4, stream: 6 } as const

/**
 * 20 bytes that take in data. What has no order is added, so that it may come in any; what has one is mixed in.
 *
 * A key without any value is not told from one whose expiry differs: only whether there is an expiry counts.
 */
export class Digest {
  readonly #bytes = Buffer.alloc(20)

  get hex(): string {
    return this.#bytes.toString('hex')
  }

  /** Takes in one of several that have no order. */
  add(data: Uint8Array): void {
    const sum = sha1(data)
    for (let at = 0; at < sum.length; at++) this.#bytes[at]! ^= sum[at]!
  }

  /** Takes in the next of several in order. */
  mix(data: Uint8Array): void {
    this.add(data)
    sha1(this.#bytes).copy(this.#bytes)
  }

  /** Takes in something that is made of parts in order, as one of several without order. */
  addParts(...parts: readonly string[]): void {
    const whole = new Digest()
    for (const part of parts) whole.mix(bytesOf(part))
    this.add(whole.#bytes)
  }

  addDigest({ hex }: Digest): void {
    this.add(Buffer.from(hex, 'hex'))
  }
}

/** Of all databases. */
export function digestOf(databases: readonly Keyspace[]): string {
  const digest = new Digest()
  for (const db of databases) {
    if (db.size === 0) continue
    digest.mix(uint32(db.index))
    for (const key of db.keys()) {
      const held = db.peek(new Span(Buffer.from(key)))
      if (held) digest.addDigest(digestOfKey(key, held))
    }
  }
  return digest.hex
}

/** Of a key with what it holds. */
export function digestOfKey(key: Uint8Array, held: Held): Digest {
  const digest = new Digest()
  digest.mix(key)
  takeIn(digest, held)
  return digest
}

/** Of what a key holds; `undefined`, nothing, has a digest of zeros. */
export function digestOfValue(held: Held | undefined): Digest {
  const digest = new Digest()
  if (held) takeIn(digest, held)
  return digest
}

function takeIn(digest: Digest, { value, bytes, expiresAtMs }: Held): void {
  digest.mix(uint32(TYPES[value?.type ?? 'string']))
  if (value) takeInCollection(digest, value)
  else digest.mix(bytes!)
  if (expiresAtMs !== Number.POSITIVE_INFINITY) digest.add(bytesOf('!!expire!!'))
}

function takeInCollection(digest: Digest, value: Collection): void {
  if (value instanceof List) for (const text of value.forward()) digest.mix(bytesOf(text))
  else if (value instanceof SetValue) for (const member of value.members()) digest.add(bytesOf(member))
  else if (value instanceof Hash) for (const [field, text] of value.entries()) digest.addParts(field, text)
  else if (value instanceof SortedSet) {
    for (const [member, score] of value.entries()) digest.addParts(member, formatDouble(score))
  } else if (value instanceof Stream) {
    const words: FieldSink = { bytes: (bytes, start, end) => digest.mix(bytes.subarray(start, end)) }
    for (const entry of value.range(MIN_ID, MAX_ID, Number.POSITIVE_INFINITY)) {
      digest.mix(bytesOf(`${entry.id.ms}.${entry.id.seq}`))
      entry.tell(words)
    }
  } else throw new TypeError(`a ${value.type} of another making has no digest`)
}

function sha1(data: Uint8Array): Buffer {
  return hash('sha1', data, 'buffer')
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
