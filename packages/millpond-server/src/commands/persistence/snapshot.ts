/** All that a service holds, as an RDB file: at once, or in steps between which commands run. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { countsUses } from '../../engine/eviction.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { syncPath } from '../../engine/log/manifest.ts'
import { RdbWriter } from '../../engine/rdb/rdb-writer.ts'
import type { Service } from '../service.ts'

const PIECE_BYTES = 1024 * 1024
const KEYS_A_SCAN = 64
/** How long a step may take. */
const STEP_MS = 3

/**
 * A file that is being written under another name, and takes its own when it is whole.
 *
 * Written in steps each key is as it was at the moment when it came to it, and keys may be of different moments: there is no fork
 * to hold the others still. What must be of one moment is written at once.
 */
export class Snapshot {
  readonly #service: Service
  readonly #path: string
  readonly #draft: string
  readonly #file: number
  readonly #writer: RdbWriter
  readonly #databases: readonly Keyspace[]
  #at = 0
  #cursor = 0
  #begun = false

  constructor(service: Service, path: string, isLogBase: boolean) {
    const { cache, time } = service
    this.#service = service
    this.#path = path
    this.#draft = `${path}.draft`
    this.#databases = cache.databases.filter(({ size }) => size > 0)
    this.#file = openSync(this.#draft, 'w', 0o644)
    this.#writer = new RdbWriter({
      isLogBase,
      nowMs: time.read(),
      usedBytes: cache.usedBytes,
      ...(cache.maxMemory > 0 && { uses: countsUses(cache.policy) ? ('frequency' as const) : ('idle' as const) }),
      libraries: service.scripts.functions.all.map(({ text }) => text),
    })
  }

  /** Writes the rest. */
  finish(): void {
    while (this.#step());
    this.#end()
  }

  /** Writes for a few milliseconds. Returns whether it is done. */
  advance(): boolean {
    const endsAtMs = performance.now() + STEP_MS
    while (this.#step()) if (performance.now() > endsAtMs) return false
    this.#end()
    return true
  }

  /** Gives up. */
  abandon(): void {
    this.#service.cache.holdShape(false)
    closeSync(this.#file)
    rmSync(this.#draft, { force: true })
  }

  /** Writes some keys. `false`: there are none any more. */
  #step(): boolean {
    const db = this.#databases[this.#at]
    if (db === undefined) return false
    if (!this.#begun) {
      this.#writer.selectDb(db)
      // Keys keep their places meanwhile, so that none comes twice.
      this.#service.cache.holdShape(true)
      this.#begun = true
    }
    const { cursor, keys } = db.scan(this.#cursor, KEYS_A_SCAN)
    for (const key of keys) this.#writer.key(db, key)
    this.#cursor = cursor
    if (cursor === 0) {
      this.#at++
      this.#begun = false
    }
    if (this.#writer.sink.length > PIECE_BYTES) writeAll(this.#file, this.#writer.sink.take())
    return true
  }

  #end(): void {
    this.#service.cache.holdShape(false)
    writeAll(this.#file, this.#writer.end())
    fsyncSync(this.#file)
    closeSync(this.#file)
    renameSync(this.#draft, this.#path)
    syncPath(dirname(this.#path))
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
