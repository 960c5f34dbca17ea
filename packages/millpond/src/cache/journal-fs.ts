import * as fs from 'node:fs/promises'

/** The part of `node:fs/promises` that a file journal calls: a test may pass one that fails. */
export interface JournalFs {
  /** Opens a file; `flags` as in `fs.open`. */
  open(path: string, flags: string): Promise<JournalFile>
  /** The whole content of a file. */
  readFile(path: string): Promise<Buffer>
  /** Puts a file in the place of another, at once. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file. */
  unlink(path: string): Promise<void>
}

/** An open file. */
export interface JournalFile {
  /** Writes at the end. */
  appendFile(data: Uint8Array | string): Promise<void>
  /** Resolves when the content is on disk. */
  datasync(): Promise<void>
  /** Resolves when the content and what describes the file are on disk. */
  sync(): Promise<void>
  /** Cuts the file to a length. */
  truncate(bytes: number): Promise<void>
  /** Lets go of the file. */
  close(): Promise<void>
}

/** The file system of the machine. */
export const nodeFs: JournalFs = fs
