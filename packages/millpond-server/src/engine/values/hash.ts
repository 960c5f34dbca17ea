/** Hashes: values by field, where a field may expire by itself. */

import { Deadlines } from '../deadlines.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import type { Collection, Kind } from '../value.ts'
import { Dictionary } from './dictionary.ts'

/** What a value costs beside its bytes, and a field's expiry. */
const VALUE_BYTES = 24
const EXPIRY_BYTES = 112
const HASH_BYTES = 440

/** A map of byte strings by byte strings. */
export class Hash implements Collection {
  readonly type = 'hash'
  readonly #limits: EncodingLimits
  readonly #fields: Dictionary<string>
  #valueBytes = 0
  #large = false
  /** Only of fields that expire. */
  #expiries: Deadlines | undefined

  constructor(limits: EncodingLimits, fields: Dictionary<string> = new Dictionary()) {
    this.#limits = limits
    this.#fields = fields
  }

  /** Number of fields, with those that have expired and were not yet removed: see `removeExpired`. */
  get size(): number {
    return this.#fields.size
  }

  get weight(): number {
    const expiries = this.#expiries === undefined ? 0 : this.#expiries.size * EXPIRY_BYTES
    return HASH_BYTES + this.#fields.weight + this.#valueBytes + this.size * VALUE_BYTES + expiries
  }

  get elements(): Dictionary<string> {
    return this.#fields
  }

  get encoding(): string {
    return this.#large ? 'hashtable' : 'listpack'
  }

  get(field: string): string | undefined {
    return this.#fields.get(field)
  }

  /** As `get`, of a field that lies in bytes. */
  getBytes(bytes: Buffer, start: number, end: number): string | undefined {
    const place = this.#fields.placeOfBytes(bytes, start, end)
    return place === -1 ? undefined : this.#fields.valueAt(place)
  }

  has(field: string): boolean {
    return this.#fields.has(field)
  }

  /** Gives a field a value, and lets it live for ever unless `keepExpiry`. Returns whether the field is new. */
  set(field: string, value: string, keepExpiry = false): boolean {
    const place = this.#fields.placeOf(field)
    if (place === -1) this.#add(field, value)
    else this.#replace(place, value, keepExpiry)
    return place === -1
  }

  /** As `set`, of a field that lies in bytes: one that is there already is found without making a text of it. */
  setBytes(bytes: Buffer, start: number, end: number, value: string): boolean {
    const place = this.#fields.placeOfBytes(bytes, start, end)
    if (place === -1) this.#add(bytes.toString('latin1', start, end), value)
    else this.#replace(place, value, false)
    return place === -1
  }

  /** Removes a field. Returns whether it was there. */
  delete(field: string): boolean {
    const place = this.#fields.placeOf(field)
    if (place === -1) return false
    this.#valueBytes -= this.#fields.valueAt(place).length
    this.#fields.deleteAt(place)
    this.#expiries?.delete(field)
    return true
  }

  /** Fields and values in order of insertion. */
  entries(): IterableIterator<[string, string]> {
    return this.#fields.entries()
  }

  fields(): IterableIterator<string> {
    return this.#fields.names()
  }

  values(): IterableIterator<string> {
    return this.#fields.values()
  }

  /** The field at a place from 0 to below `size`: at a random place is a random one. */
  fieldAt(place: number): string {
    return this.#fields.nameAt(place)
  }

  /** Fields in steps: see `Dictionary.scan`. A small hash comes in one, in order. */
  scan(cursor: number, count: number, tell: (field: string, value: string) => void): number {
    if (this.#large) return this.#fields.scan(cursor, count, tell)
    for (const [field, value] of this.#fields.entries()) tell(field, value)
    return 0
  }

  /** When a field expires; Infinity: never. */
  expiresAtMs(field: string): number {
    return this.#expiries?.get(field) ?? Number.POSITIVE_INFINITY
  }

  /** Lets a field that is there expire at a moment; Infinity: never. */
  setExpiry(field: string, expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY) {
      this.#expiries?.delete(field)
      return
    }
    this.#expiries ??= new Deadlines()
    this.#expiries.set(field, expiresAtMs)
  }

  /** A moment before which `removeExpired` finds nothing. */
  get nextExpiryMs(): number {
    return this.#expiries === undefined ? Number.POSITIVE_INFINITY : this.#expiries.earliestMs
  }

  /** Removes up to so many of the fields whose time is over, and tells which those were. */
  removeExpired(nowMs: number, most: number = Number.POSITIVE_INFINITY): string[] {
    if (this.#expiries === undefined) return NONE
    const expired = this.#expiries.take(nowMs, most)
    for (const field of expired) this.delete(field)
    return expired
  }

  clone(): Hash {
    const twin = new Hash(this.#limits, this.#fields.clone())
    twin.#valueBytes = this.#valueBytes
    twin.#large = this.#large
    twin.#expiries = this.#expiries?.clone()
    return twin
  }

  #add(field: string, value: string): void {
    this.#fields.add(field, value)
    this.#valueBytes += value.length
    if (!this.#large) this.#measure(field.length, value.length)
  }

  #replace(place: number, value: string, keepExpiry: boolean): void {
    this.#valueBytes += value.length - this.#fields.valueAt(place).length
    this.#fields.setAt(place, value)
    if (!keepExpiry && this.#expiries !== undefined) this.#expiries.delete(this.#fields.nameAt(place))
    if (!this.#large) this.#measure(0, value.length)
  }

  #measure(fieldLength: number, valueLength: number): void {
    const { hashMaxListpackValue, hashMaxListpackEntries } = this.#limits
    if (Math.max(fieldLength, valueLength) > hashMaxListpackValue) this.#large = true
    else if (this.size > hashMaxListpackEntries) this.#large = true
  }
}

const NONE: string[] = []

export const HASH: Kind<Hash> = { type: 'hash', create: (limits) => new Hash(limits) }
