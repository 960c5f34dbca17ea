/** Backups, restores and imports as the host offers them to commands. */
import type { Movers, TransferResult } from '../commands/transfers/transfers.ts'
import { type BackupRecord, backUp, listBackups } from './backup.ts'
import { BackupError } from './backup-error.ts'
import { importFrom } from './import/import.ts'
import { openSource } from './import/open-source.ts'
import { locate } from './location.ts'
import { restore } from './restore.ts'

export const movers: Movers = {
  async backUp(service, location, { signal, onProgress }) {
    const { vault, name } = locate(location)
    return told(await backUp(service, vault, { signal, onProgress, ...(name !== undefined && { name }) }))
  },
  async restore(service, location, options) {
    const { vault, name = (await listBackups(vault, service.cache.name)).at(-1)?.name } = locate(location)
    if (name === undefined) throw new BackupError('missing', location, `there is no backup of '${service.cache.name}'`)
    return { name, ...(await restore(service, vault, name, options)) }
  },
  async bring(service, source, { replace, signal, onProgress }) {
    const opened = await openSource(source, service.cache.limits)
    const existing = replace ? 'replace' : 'keep'
    const { refusals, ...sums } = await importFrom(service, opened, { existing, signal, onProgress })
    return { ...sums, ...(refusals.length > 0 && { refusals: refusals.join('; ') }) }
  },
  async list(cache, location) {
    return (await listBackups(locate(location).vault, cache)).map(told)
  },
}

function told(record: BackupRecord): TransferResult {
  const { name, cache, keys, bytes, sha256, createdAtMs, tookMs } = record
  return { name, cache, keys, bytes, sha256, createdAtMs, tookMs: Math.round(tookMs) }
}
