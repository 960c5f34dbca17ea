/** Puts keys that come from elsewhere into a cache, as commands would: the log, and who watches or tracks them, are told. */

import { SERVICE_MODE } from '../commands/modes.ts'
import { stateCommand } from '../commands/persistence/state-command.ts'
import type { Service } from '../commands/service.ts'
import { outOfMemory, ReplyError } from '../engine/errors.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { RdbKey, RdbListener } from '../engine/rdb/rdb-reader.ts'
import { Span } from '../engine/span.ts'
import { HASH } from '../engine/values/hash.ts'
import { BackupError } from './backup-error.ts'

export class Intake implements RdbListener {
  keys = 0
  /** Keys whose time was over: what the cache had under their names is gone. */
  expired = 0
  libraries = 0
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
  }

  /** Runs a step, between whose parts nobody is served. */
  during<Result>(step: () => Result): Result {
    const { time, cache } = this.#service
    time.tick()
    let result: Result
    try {
      cache.alone(() => {
        result = step()
      })
    } finally {
      this.#service.endBatch()
    }
    return result!
  }

  key({ db: index, key, value, expiresAtMs, idleMs, frequency, clientFlags }: RdbKey): void {
    const db = this.#databaseOf(index)
    const span = new Span(key)
    if (expiresAtMs <= this.#service.time.nowMs) {
      this.expired++
      if (db.delete(span)) this.#changed(db, key, 'del')
      return
    }
    try {
      if ((this.#service.modes & SERVICE_MODE.BOUNDED) !== 0 && !this.#service.hasRoom()) throw outOfMemory()
      if (value instanceof Uint8Array) db.setFlagged(span, value, clientFlags, expiresAtMs)
      else db.put(span, value, expiresAtMs)
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      throw new BackupError(
        'refused',
        this.#service.cache.name,
        `${error.message} This came after ${this.keys} keys`,
        error,
      )
    }
    if (idleMs !== undefined) db.setUse(span, { idleMs })
    if (frequency !== undefined) db.setUse(span, { frequency })
    this.keys++
    this.#changed(db, key, 'restore')
  }

  library(text: string): void {
    const { scripts, logs, databases } = this.#service
    scripts.functions.load(text, true)
    logs.also(databases[0]!, ['FUNCTION', 'LOAD', 'REPLACE', text])
    this.libraries++
  }

  fieldExpiries(index: number, key: Buffer, fields: readonly (readonly [field: string, expiresAtMs: number])[]): void {
    const db = this.#databaseOf(index)
    const span = new Span(key)
    const hash = db.edit(span, HASH)
    if (hash === undefined) return
    for (const [field, expiresAtMs] of fields) hash.setExpiry(field, expiresAtMs)
    db.fieldsExpire(span, hash)
    this.#changed(db, key, 'hexpire')
  }

  #changed(db: Keyspace, key: Buffer, event: 'restore' | 'hexpire' | 'del'): void {
    const { logs } = this.#service
    const span = new Span(key)
    db.changed(span, event, 'g')
    if (logs.log !== undefined) logs.alsoCommand(db, stateCommand(key, db.peek(span)))
  }

  #databaseOf(index: number): Keyspace {
    const { databases, cache } = this.#service
    const db = databases[index]
    if (db) return db
    throw new BackupError(
      'refused',
      cache.name,
      `it has ${databases.length} databases, and there is a key for ${index}`,
    )
  }
}
