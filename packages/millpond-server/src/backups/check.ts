/** Whether a backup is what was written: by its record, or by the checksum at the end of the file. */
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { Crc64 } from '../engine/rdb/crc64.ts'
import { type BackupRecord, readRecord } from './backup.ts'
import { BackupError } from './backup-error.ts'
import type { Vault } from './vault.ts'

const HEAD_BYTES = 9
const SUM_BYTES = 8
/** How much of a checksum is taken at once. */
const STEP_BYTES = 64 * 1024

/**
 * Reads all of a backup and compares.
 *
 * @param keep is given the pieces on their way, to keep them
 * @throws BackupError missing, damaged, storage
 */
export async function checkBackup(
  vault: Vault,
  name: string,
  keep?: (piece: Uint8Array) => Promise<void>,
): Promise<BackupRecord | undefined> {
  const record = await readRecord(vault, name)
  const sums = record === undefined ? new FileSums() : new RecordSums(record)
  for await (const piece of vault.read(name)) {
    await sums.take(piece)
    await keep?.(piece)
  }
  const reason = sums.end()
  if (reason !== undefined) throw new BackupError('damaged', name, reason)
  return record
}

/** By the record: length and SHA-256. */
class RecordSums {
  readonly #record: BackupRecord
  readonly #hash = createHash('sha256')
  #bytes = 0

  constructor(record: BackupRecord) {
    this.#record = record
  }

  async take(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece)
    this.#bytes += piece.length
  }

  /** What is wrong. */
  end(): string | undefined {
    const { bytes, sha256 } = this.#record
    if (this.#bytes !== bytes) return `it has ${this.#bytes} bytes, and was written with ${bytes}`
    return this.#hash.digest('hex') === sha256 ? undefined : 'its bytes are not those that were written'
  }
}

/** By the file itself: its beginning, and the checksum at its end. */
class FileSums {
  readonly #crc = new Crc64()
  #head: Buffer = Buffer.alloc(0)
  /** The last bytes: they may be the checksum. */
  #tail: Buffer = Buffer.alloc(0)

  async take(piece: Uint8Array): Promise<void> {
    if (this.#head.length < HEAD_BYTES) this.#head = Buffer.concat([this.#head, piece.subarray(0, HEAD_BYTES)])
    const bytes = Buffer.concat([this.#tail, piece])
    const end = Math.max(0, bytes.length - SUM_BYTES)
    for (let at = 0; at < end; at += STEP_BYTES) {
      this.#crc.update(bytes, at, Math.min(end, at + STEP_BYTES))
      await turn()
    }
    this.#tail = bytes.subarray(end)
  }

  end(): string | undefined {
    const version = Number(/^REDIS(\d{4})/.exec(this.#head.toString('latin1'))?.[1])
    if (Number.isNaN(version)) return 'this is no RDB file'
    if (version < 5) return undefined
    if (this.#tail.length < SUM_BYTES) return 'it ends too soon'
    const sum = this.#tail.readBigUInt64LE()
    return sum === 0n || sum === this.#crc.value ? undefined : 'its checksum is wrong: it was damaged, or is not whole'
  }
}
