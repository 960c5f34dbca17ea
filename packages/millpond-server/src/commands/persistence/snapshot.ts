/** An RDB file of all that a cache holds, written under another name until it is whole. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { discard, syncPath } from '../../engine/log/manifest.ts'
import { DraftFile } from '../../engine/rdb/draft-file.ts'
import type { Service } from '../service.ts'
import { SnapshotWalk } from './snapshot-walk.ts'

/** How long a step may take, and for how long commands run between two. */
const STEP_MS = 2
const PAUSE_MS = 3

/** Writes everything at once: nobody is served meanwhile. */
export function saveAtOnce(service: Service, path: string, isLogBase: boolean): void {
  const draft = `${path}.draft`
  const file = openSync(draft, 'w', 0o644)
  const walk = new SnapshotWalk(service, isLogBase)
  try {
    while (!walk.advance(Number.POSITIVE_INFINITY)) writeAll(file, walk.take())
    writeAll(file, walk.end())
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, path)
  } catch (error) {
    discard(draft)
    throw error
  } finally {
    walk.close()
  }
  syncPath(dirname(path))
}

/**
 * Writes everything in steps of a few milliseconds: see `SnapshotWalk` for what that means. Resolves with the walk, which is over.
 *
 * @throws what the disk, or the reason of `signal`, says; then there is no file, or the one that was there before
 */
export async function saveInSteps(
  service: Service,
  path: string,
  { isLogBase = false, signal }: { readonly isLogBase?: boolean; readonly signal?: AbortSignal } = {},
): Promise<SnapshotWalk> {
  const file = await DraftFile.open(path)
  const walk = new SnapshotWalk(service, isLogBase)
  try {
    for await (const piece of piecesOf(walk, signal)) await file.write(piece)
    await file.finish()
    return walk
  } catch (error) {
    await file.abandon()
    throw error
  } finally {
    walk.close()
  }
}

/** The pieces of a walk, which goes on in steps while somebody asks for them. */
export async function* piecesOf(walk: SnapshotWalk, signal?: AbortSignal): AsyncGenerator<Buffer> {
  while (!walk.advance(STEP_MS)) {
    if (walk.isFull) yield walk.take()
    await sleep(PAUSE_MS)
    signal?.throwIfAborted()
  }
  yield walk.end()
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
