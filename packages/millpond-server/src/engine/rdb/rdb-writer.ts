/** Writes an RDB file as Redis 7.0 does, one record after the other. */
import type { Keyspace } from '../keyspace.ts'
import { Span } from '../span.ts'
import { ByteSink, writeBytes, writeLength, writeText } from './byte-sink.ts'
import { RECORD, VERSION } from './rdb-types.ts'
import { hasFieldExpiries, typeOf, writeValue } from './value-writer.ts'

/** Redis passes over names that it does not know: expiries of fields, which it has no place for, stand here. */
export const FIELD_EXPIRY_AUX = 'millpond-field-expiries'

/** Likewise the flags of the string that follows, which a client of memcached gave it. */
export const CLIENT_FLAGS_AUX = 'millpond-client-flags'

export interface RdbWriterOptions {
  /** What it is part of: of an append-only file, which is told to readers. */
  readonly isLogBase: boolean
  readonly nowMs: number
  readonly usedBytes: number
  /** The last of the keys' uses: kept if the policy goes by them. */
  readonly uses?: 'idle' | 'frequency'
  /** Texts of the function libraries. */
  readonly libraries: readonly string[]
}

/** Call `head`, then `selectDb` and `key` as often as needed, then `end`; and take away what has gathered in `sink`. */
export class RdbWriter {
  readonly sink: ByteSink = new ByteSink(true)
  readonly #options: RdbWriterOptions

  constructor(options: RdbWriterOptions) {
    this.#options = options
    this.sink.text(`REDIS${String(VERSION).padStart(4, '0')}`)
    this.#aux('redis-ver', '7.0.15')
    this.#aux('redis-bits', '64')
    this.#aux('ctime', String(Math.floor(options.nowMs / 1000)))
    this.#aux('used-mem', String(options.usedBytes))
    this.#aux('aof-base', options.isLogBase ? '1' : '0')
    for (const library of options.libraries) {
      this.sink.byte(RECORD.FUNCTION)
      writeText(this.sink, library)
    }
  }

  /** The keys that follow are of this database. */
  selectDb(db: Keyspace): void {
    this.sink.byte(RECORD.SELECT)
    writeLength(this.sink, db.index)
    this.sink.byte(RECORD.RESIZE)
    writeLength(this.sink, db.size)
    writeLength(this.sink, db.expiring)
  }

  /** A key of the selected database. Nothing, if it is not there any more. */
  key(db: Keyspace, key: Uint8Array): void {
    const span = new Span(Buffer.from(key.buffer, key.byteOffset, key.length))
    const found = db.peek(span)
    if (found === undefined) return
    const { sink } = this
    const value = found.value ?? found.bytes!
    if (found.expiresAtMs !== Number.POSITIVE_INFINITY) {
      sink.byte(RECORD.EXPIRY_MS)
      sink.int64Low(BigInt(Math.round(found.expiresAtMs)))
    }
    this.#use(db, span)
    if (found.clientFlags) this.#aux(CLIENT_FLAGS_AUX, String(found.clientFlags))
    sink.byte(typeOf(value, false))
    writeBytes(sink, key)
    writeValue(sink, value, typeOf(value, false))
    if (found.value) this.#fieldExpiries(found.value, key)
  }

  /** The end, with the checksum of all that was written, which is taken away here. */
  end(): Buffer {
    this.sink.byte(RECORD.END)
    const rest = this.sink.take()
    const sum = Buffer.allocUnsafe(8)
    sum.writeBigUInt64LE(this.sink.checksum)
    return Buffer.concat([rest, sum])
  }

  #use(db: Keyspace, key: Span): void {
    const { uses } = this.#options
    if (uses === 'idle') {
      this.sink.byte(RECORD.IDLE)
      writeLength(this.sink, Math.floor(Math.max(0, db.idleMs(key)) / 1000))
    } else if (uses === 'frequency') {
      this.sink.byte(RECORD.FREQUENCY)
      this.sink.byte(Math.max(0, db.frequency(key)))
    }
  }

  #fieldExpiries(value: Parameters<typeof hasFieldExpiries>[0], key: Uint8Array): void {
    if (!hasFieldExpiries(value)) return
    const fields = new ByteSink()
    writeBytes(fields, key)
    for (const field of value.fields()) {
      const expiresAtMs = value.expiresAtMs(field)
      if (expiresAtMs === Number.POSITIVE_INFINITY) continue
      fields.int64Low(BigInt(expiresAtMs))
      writeText(fields, field)
    }
    this.#aux(FIELD_EXPIRY_AUX, fields.take().toString('latin1'))
  }

  #aux(name: string, value: string): void {
    this.sink.byte(RECORD.AUX)
    writeText(this.sink, name)
    writeText(this.sink, value)
  }
}
