/** Fills the databases of a cache from an RDB file. */
import type { Cache } from '../cache.ts'
import { Span } from '../span.ts'
import { HASH } from '../values/hash.ts'
import type { ByteSource } from './byte-source.ts'
import { RdbError } from './rdb-error.ts'
import { type RdbKey, readRdb } from './rdb-reader.ts'

/** What was read. */
export interface RdbLoaded {
  readonly keys: number
  /** Keys whose time was over. */
  readonly expired: number
}

/**
 * Reads a file into a cache. Keys that have expired are left out.
 *
 * @param library is told each library of functions
 * @throws RdbError when the file is damaged, or has more databases than the cache
 */
export function loadRdb(source: ByteSource, cache: Cache, nowMs: number, library: (text: string) => void): RdbLoaded {
  let keys = 0
  let expired = 0
  const put = ({ db: index, key, value, expiresAtMs, idleMs, frequency, clientFlags }: RdbKey): void => {
    const db = cache.databases[index]
    if (db === undefined)
      throw new RdbError(`the file has a database ${index}, and there are ${cache.databases.length}`)
    if (expiresAtMs <= nowMs) {
      expired++
      return
    }
    const span = new Span(key)
    if (value instanceof Uint8Array) db.setFlagged(span, value, clientFlags, expiresAtMs)
    else db.put(span, value, expiresAtMs)
    if (idleMs !== undefined) db.setUse(span, { idleMs })
    if (frequency !== undefined) db.setUse(span, { frequency })
    keys++
  }
  readRdb(source, cache.limits, {
    key: put,
    library,
    fieldExpiries: (index, key, fields) => {
      const db = cache.databases[index]
      const span = new Span(key)
      const hash = db?.edit(span, HASH)
      for (const [field, expiresAtMs] of fields) hash?.setExpiry(field, expiresAtMs)
      if (hash) db!.fieldsExpire(span, hash)
    },
  })
  return { keys, expired }
}
