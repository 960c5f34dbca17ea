/** What was backed up comes back into a cache, in steps, while it is used. */
import { closeSync, openSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../commands/service.ts'
import { FileSource } from '../engine/rdb/byte-source.ts'
import { DraftFile } from '../engine/rdb/draft-file.ts'
import { RdbError } from '../engine/rdb/rdb-error.ts'
import { rdbSteps } from '../engine/rdb/rdb-reader.ts'
import type { Progress } from './backup.ts'
import { BackupError } from './backup-error.ts'
import { checkBackup } from './check.ts'
import { Intake } from './intake.ts'
import type { Vault } from './vault.ts'

export interface RestoreOptions {
  /** Into a cache that holds something: keys of the backup take the place of those that are there. Default: only into an empty one. */
  readonly replace?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface Restored {
  readonly keys: number
  /** Keys whose time was over. */
  readonly expired: number
  readonly libraries: number
}

/** How long a step takes, and for how long others are served between two. */
const STEP_MS = 2
const PAUSE_MS = 1

/**
 * Reads all of a backup to compare it with what was written, and only then puts it into the cache. Keys expire at the moments at which
 * they would have; the rules of the cache about lives hold.
 *
 * @param name any RDB file: also of redis-server
 * @throws BackupError; `damaged`, `missing` and `occupied` come before anything was changed
 */
export async function restore(
  service: Service,
  vault: Vault,
  name: string,
  options: RestoreOptions = {},
): Promise<Restored> {
  refuseOccupied(service, options)
  return withFile(vault, name, async (path, keys) => {
    options.signal?.throwIfAborted()
    refuseOccupied(service, options)
    return intake(service, path, name, keys, options)
  })
}

/** Calls with a file of this machine that was found to be whole, and with the number of its keys, if that is known. */
async function withFile<Result>(
  vault: Vault,
  name: string,
  use: (path: string, keys: number | undefined) => Promise<Result>,
): Promise<Result> {
  const own = vault.pathOf?.(name)
  if (own !== undefined) return use(own, (await checkBackup(vault, name))?.keys)
  const folder = await mkdtemp(join(tmpdir(), 'millpond-restore-'))
  try {
    const path = join(folder, 'backup.rdb')
    return await use(path, await fetchChecked(vault, name, path))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function refuseOccupied({ databases, cache }: Service, { replace = false }: RestoreOptions): void {
  const keys = databases.reduce((sum, { size }) => sum + size, 0)
  if (keys === 0 || replace) return
  throw new BackupError(
    'occupied',
    cache.name,
    `the cache holds ${keys} keys: flush it, or say that keys may be replaced`,
  )
}

/** Returns how many keys there are, if that is known. */
async function fetchChecked(vault: Vault, name: string, path: string): Promise<number | undefined> {
  const file = await DraftFile.open(path)
  try {
    const record = await checkBackup(vault, name, (piece) => file.write(piece))
    await file.finish()
    return record?.keys
  } catch (error) {
    await file.abandon()
    throw error
  }
}

async function intake(
  service: Service,
  path: string,
  name: string,
  total: number | undefined,
  { signal, onProgress }: RestoreOptions,
): Promise<Restored> {
  const file = openSync(path, 'r')
  const source = new FileSource(file, 0, statSync(path).size)
  const taker = new Intake(service)
  try {
    const steps = rdbSteps(source, service.cache.limits, taker)
    for (let isDone = false; !isDone; ) {
      isDone = taker.during(() => advance(steps))
      onProgress?.({ done: taker.keys + taker.expired, total, bytes: source.offset })
      await sleep(PAUSE_MS)
      signal?.throwIfAborted()
    }
  } catch (error) {
    if (error instanceof RdbError)
      throw new BackupError('damaged', name, `${error.message}, after ${taker.keys} keys`, error)
    throw error
  } finally {
    closeSync(file)
  }
  return { keys: taker.keys, expired: taker.expired, libraries: taker.libraries }
}

/** Returns whether that was all. */
function advance(steps: Generator<void>): boolean {
  const endsAtMs = performance.now() + STEP_MS
  do {
    if (steps.next().done === true) return true
  } while (performance.now() < endsAtMs)
  return false
}
