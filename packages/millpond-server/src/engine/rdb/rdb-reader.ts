/** Reads an RDB file of any version up to 12, record by record. */
import type { EncodingLimits } from '../encoding-limits.ts'
import { ByteSource } from './byte-source.ts'
import { RdbError } from './rdb-error.ts'
import { RECORD, VERSION_MAX } from './rdb-types.ts'
import { CLIENT_FLAGS_AUX, FIELD_EXPIRY_AUX } from './rdb-writer.ts'
import { readBytes, readLength, readNumber, readText } from './strings.ts'
import { moduleName, type RdbValue, readValue } from './value-reader.ts'

/** One key, as it stands in a file. */
export interface RdbKey {
  readonly db: number
  readonly key: Buffer
  readonly value: RdbValue
  /** Infinity: never. */
  readonly expiresAtMs: number
  readonly idleMs: number | undefined
  readonly frequency: number | undefined
  /** Of a string that a client of memcached has stored; 0: none. */
  readonly clientFlags: number
}

/** Who is told what a file holds. */
export interface RdbListener {
  key(key: RdbKey): void
  /** A library of functions: its text. */
  library(text: string): void
  /** Fields of a hash that was told expire. */
  fieldExpiries?(db: number, key: Buffer, fields: readonly (readonly [field: string, expiresAtMs: number])[]): void
  /** Facts such as 'redis-ver'. */
  aux?(name: string, value: string): void
}

const NAME = 'REDIS'
/** From this version on a file ends with a checksum. */
const VERSION_CHECKSUM = 5

/** Reads a file to its end. What follows it, in an append-only file, is left. @throws RdbError with the offset */
export function readRdb(source: ByteSource, limits: EncodingLimits, listener: RdbListener): void {
  for (const _ of rdbSteps(source, limits, listener));
}

/** The same, record by record, with whatever pauses the caller likes. @throws RdbError with the offset */
export function* rdbSteps(source: ByteSource, limits: EncodingLimits, listener: RdbListener): Generator<void> {
  try {
    yield* new RdbReader(source, limits, listener).steps()
  } catch (error) {
    if (error instanceof RdbError) error.offset = source.offset
    throw error
  }
}

class RdbReader {
  readonly #source: ByteSource
  readonly #limits: EncodingLimits
  readonly #listener: RdbListener
  #db = 0
  #expiresAtMs = Number.POSITIVE_INFINITY
  #idleMs: number | undefined
  #frequency: number | undefined
  #clientFlags = 0

  constructor(source: ByteSource, limits: EncodingLimits, listener: RdbListener) {
    this.#source = source
    this.#limits = limits
    this.#listener = listener
  }

  /** A step is a record. */
  *steps(): Generator<void> {
    const source = this.#source
    source.sum()
    if (source.take(NAME.length).toString('latin1') !== NAME) throw new RdbError('this is no RDB file')
    const version = Number(source.take(4).toString('latin1'))
    if (!(version >= 1 && version <= VERSION_MAX)) {
      throw new RdbError(`RDB files of version ${version} are not known: up to ${VERSION_MAX}`)
    }
    for (let record = source.byte(); record !== RECORD.END; record = source.byte()) {
      this.#record(record)
      yield
    }
    if (version < VERSION_CHECKSUM) return
    const expected = source.checksum
    const sum = source.uint64Low()
    if (sum !== 0n && sum !== expected) throw new RdbError('the checksum of the file is wrong: it was damaged')
  }

  #record(record: number): void {
    const source = this.#source
    switch (record) {
      case RECORD.SELECT:
        this.#db = readLength(source)
        return
      case RECORD.RESIZE:
        readLength(source)
        readLength(source)
        return
      case RECORD.EXPIRY_MS:
        this.#expiresAtMs = Number(source.int64Low())
        return
      case RECORD.EXPIRY_SECONDS:
        this.#expiresAtMs = source.take(4).readInt32LE() * 1000
        return
      case RECORD.IDLE:
        this.#idleMs = Number(readNumber(source)) * 1000
        return
      case RECORD.FREQUENCY:
        this.#frequency = source.byte()
        return
      case RECORD.AUX:
        this.#aux(readText(source), readBytes(source))
        return
      case RECORD.FUNCTION:
        this.#listener.library(readText(source))
        return
      case RECORD.FUNCTION_DRAFT:
        throw new RdbError('functions of a release candidate of Redis 7.0 are not known')
      case RECORD.MODULE_AUX:
        throw new RdbError(`the file has data of the module '${moduleName(readNumber(source))}'`)
      default:
        this.#key(record)
    }
  }

  #key(type: number): void {
    const source = this.#source
    const key = readBytes(source)
    const value = readValue(source, type, this.#limits)
    // Redis of old wrote collections that had become empty.
    if (value instanceof Uint8Array || value.size > 0 || value.type === 'stream') {
      this.#listener.key({
        db: this.#db,
        key,
        value,
        expiresAtMs: this.#expiresAtMs,
        idleMs: this.#idleMs,
        frequency: this.#frequency,
        clientFlags: this.#clientFlags,
      })
    }
    this.#expiresAtMs = Number.POSITIVE_INFINITY
    this.#idleMs = this.#frequency = undefined
    this.#clientFlags = 0
  }

  #aux(name: string, value: Buffer): void {
    if (name === CLIENT_FLAGS_AUX) {
      this.#clientFlags = Number(value.toString('latin1')) >>> 0
      return
    }
    if (name !== FIELD_EXPIRY_AUX) {
      this.#listener.aux?.(name, value.toString('latin1'))
      return
    }
    const parts = new ByteSource(value)
    const key = readBytes(parts)
    const fields: [string, number][] = []
    while (!parts.done) {
      const expiresAtMs = Number(parts.int64Low())
      fields.push([readText(parts), expiresAtMs])
    }
    this.#listener.fieldExpiries?.(this.#db, key, fields)
  }
}
