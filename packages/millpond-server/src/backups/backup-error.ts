/** What went wrong with a backup, a restore or an import. The cache itself goes on as it was. */

/**
 * `damaged`: what is there is not what was written. `missing`: there is no such backup. `storage`: the place where backups are
 * kept does not answer, or refuses. `occupied`: the cache is not empty. `source`: where an import comes from fails.
 * `refused`: what was asked for cannot be done.
 */
export type BackupFault = 'damaged' | 'missing' | 'storage' | 'occupied' | 'source' | 'refused'

export class BackupError extends Error {
  readonly fault: BackupFault
  /** What it is about: a file, a URL. */
  readonly subject: string

  constructor(fault: BackupFault, subject: string, reason: string, cause?: unknown) {
    super(`${subject}: ${reason}`, cause === undefined ? undefined : { cause })
    this.name = 'BackupError'
    this.fault = fault
    this.subject = subject
  }
}
