/** A backup: an RDB file of a cache, which redis-server loads too, and beside it a record of what it is. */
import { createHash } from 'node:crypto'
import { piecesOf } from '../commands/persistence/snapshot.ts'
import { SnapshotWalk } from '../commands/persistence/snapshot-walk.ts'
import type { Service } from '../commands/service.ts'
import { BackupError } from './backup-error.ts'
import { piecesOfText, readText, type Vault } from './vault.ts'

/** What is known of a backup, in `<name>.json`. */
export interface BackupRecord {
  readonly format: 'millpond-backup-1'
  readonly name: string
  readonly cache: string
  readonly keys: number
  readonly bytes: number
  /** Of the file, in hexadecimal digits. */
  readonly sha256: string
  readonly createdAtMs: number
  readonly tookMs: number
}

/** How far something has come. */
export interface Progress {
  /** Keys that were dealt with. */
  readonly done: number
  /** About how many there are; `undefined`: nobody knows. */
  readonly total: number | undefined
  readonly bytes: number
}

export interface BackupOptions {
  /** Default: the name of the cache and the time. */
  readonly name?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Writes all that a cache holds to a vault, in steps of a few milliseconds while it is used. Each key is as it was at the moment when
 * it was met: see `SnapshotWalk`. Its record is written when all of it is there.
 *
 * @throws BackupError, or the reason of `signal`; then there is no new backup, and what was there of that name may be gone
 */
export async function backUp(service: Service, vault: Vault, options: BackupOptions = {}): Promise<BackupRecord> {
  const { cache, time } = service
  const createdAtMs = time.read()
  const { name = nameOf(cache.name, createdAtMs), signal, onProgress } = options
  const beganMs = performance.now()
  const hash = createHash('sha256')
  let bytes = 0
  const walk = new SnapshotWalk(service)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for await (const piece of piecesOf(walk, signal)) {
      hash.update(piece)
      bytes += piece.length
      yield piece
      onProgress?.({ done: walk.keys, total: Math.max(walk.total, walk.keys), bytes })
    }
  }
  try {
    await vault.write(name, pieces())
  } finally {
    walk.close()
  }
  const sha256 = hash.digest('hex')
  const tookMs = Math.round(performance.now() - beganMs)
  const record: BackupRecord = {
    format: 'millpond-backup-1',
    name,
    cache: cache.name,
    keys: walk.keys,
    bytes,
    sha256,
    createdAtMs,
    tookMs,
  }
  await vault.write(recordName(name), piecesOfText(`${JSON.stringify(record, undefined, 2)}\n`))
  return record
}

/** Names that sort by time. */
export function nameOf(cache: string, atMs: number): string {
  return `${cache}-${new Date(atMs).toISOString().replaceAll(/[-:]/g, '').replace('.', '')}.rdb`
}

export function recordName(name: string): string {
  return `${name}.json`
}

/** The record of a backup; `undefined`: there is none, as of files that others have made. @throws BackupError damaged, storage */
export async function readRecord(vault: Vault, name: string): Promise<BackupRecord | undefined> {
  const text = await readText(vault, recordName(name)).catch((error: unknown) => {
    if (error instanceof BackupError && error.fault === 'missing') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    const record = JSON.parse(text) as Partial<BackupRecord>
    if (record.format === 'millpond-backup-1' && typeof record.sha256 === 'string') return record as BackupRecord
  } catch {
    // Told below.
  }
  throw new BackupError('damaged', recordName(name), 'this is no record of a backup')
}

/** The records of all backups of a cache that are whole, the oldest first. @throws BackupError storage */
export async function listBackups(vault: Vault, cache: string): Promise<BackupRecord[]> {
  const names = (await vault.list()).filter((name) => name.startsWith(`${cache}-`) && name.endsWith('.rdb.json'))
  const records = await Promise.all(
    names.map((name) => readRecord(vault, name.slice(0, -'.json'.length)).catch(() => undefined)),
  )
  return records
    .filter((record) => record !== undefined)
    .filter((record) => record.cache === cache)
    .sort((one, other) => one.createdAtMs - other.createdAtMs)
}

/** Removes a backup, its record first: a file without one is a backup of nobody. @throws BackupError storage */
export async function removeBackup(vault: Vault, name: string): Promise<void> {
  await vault.remove(recordName(name))
  await vault.remove(name)
}
