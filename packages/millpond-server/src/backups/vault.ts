/** Where backups are kept: a folder, or a bucket of S3 or of what speaks its protocol. */

export interface Vault {
  /** For messages: without secrets. */
  readonly url: string
  /** Writes a file: it is there whole, or not at all. @throws BackupError storage; or what `pieces` throws */
  write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void>
  /** A file, piece by piece. @throws BackupError missing, storage */
  read(name: string): AsyncIterable<Uint8Array>
  /** Where a file lies, if it is on this machine: it need not be copied to be read. */
  pathOf?(name: string): string
  /** The names of all files. @throws BackupError storage */
  list(): Promise<string[]>
  /** Removes a file; none of that name is as well. @throws BackupError storage */
  remove(name: string): Promise<void>
}

/** A small file, as text. @throws BackupError missing, storage */
export async function readText(vault: Vault, name: string): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of vault.read(name)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

export async function* piecesOfText(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
